import Foundation
import Testing

@testable import cel_conformance

@Suite("Conformance with the CEL specification")
struct ConformanceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL
    private static let cases = ConformanceCase.file(from: root)

    @Test("every plain case of the suite passes", .enabled(if: cases != nil, "no cases here: set SLUICE_CEL_CASES to a file of them"))
    func everyPlainCasePasses() throws {
        let file = try #require(Self.cases)
        let report = ConformanceReport(try ConformanceCase.read(file))
        #expect(report.failures == [])
        #expect(report.isComplete)
    }
}
