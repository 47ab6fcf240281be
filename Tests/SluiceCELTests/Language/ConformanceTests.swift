import Foundation
import Testing

@testable import SluiceCEL
@testable import cel_conformance

@Suite("Conformance with the CEL specification")
struct ConformanceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL
    private static let cases = ConformanceCase.file(from: root)

    @Test("every plain case of the suite passes", .enabled(if: cases != nil, "no cases here: set SLUICE_CEL_CASES to a file of them"))
    func everyPlainCasePasses() throws {
        let file = try #require(Self.cases)
        let report = ConformanceReport(try ConformanceLine.read(file))
        #expect(report.failures == [])
        #expect(report.isComplete)
    }

    @Test("every plain case means the same over cells", .enabled(if: cases != nil, "no cases here: set SLUICE_CEL_CASES to a file of them"))
    func cellsMeanTheSame() throws {
        let file = try #require(Self.cases)
        var compared = 0
        for line in try ConformanceLine.read(file) {
            guard case .plain(let conformanceCase) = line, conformanceCase.checkOnly != true else { continue }
            let environment = conformanceCase.environment
            guard let program = try? Program(conformanceCase.expr, in: environment) else { continue }
            let bindings = (conformanceCase.bindings ?? [:]).mapValues(\.value)
            var variables = ValueMap()
            for (name, value) in bindings { variables.set(name, to: value) }
            let expected = program.evaluate(MapLookup(variables, for: program)).map { value in
                // Over cells an optional is unwrapped.
                if case .optional(let wrapped?) = value { return wrapped }
                return value
            }
            let fixture = CellFixture()
            let cells = bindings.mapValues { fixture.scratch.cell(of: $0) }
            let result = fixture.evaluate(CellProgram(program, in: environment), cells)
            #expect(areSame(expected, result), "\(conformanceCase.id): \(conformanceCase.expr): \(expected) \(result)")
            compared += 1
        }
        #expect(compared > 0)
    }
}
