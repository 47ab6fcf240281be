import Foundation
import SluiceCEL
import Testing

/// Random expressions, from nearly valid to nonsense. `SLUICE_FUZZ_SECONDS` sets the duration,
/// `SLUICE_FUZZ_SEED` the first seed.
@Suite("Random expressions")
struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seconds = environment["SLUICE_FUZZ_SECONDS"].flatMap(Double.init) ?? 3
    private static let seed = environment["SLUICE_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

    private static let record: ValueMap = [
        "a": .int(5), "b": .double(-0.5), "c": .string("GET /ünï"), "d": .list([.int(1), .string("x"), .null]),
        "e": .map(["k": .uint(7), "n": .null]), "f": .bytes([0, 255]), "t": .timestamp(.epoch), "string": .bool(true),
    ]

    @Test("every text is a value, an error with a location, or diagnostics with locations", arguments: 0..<4)
    func anyText(lane: UInt64) throws {
        var random = SplitMix(state: Self.seed &* 31 &+ lane)
        let end = ContinuousClock.now + .seconds(Self.seconds / 4)
        var valid = 0
        repeat {
            let text = RandomExpression.text(&random)
            valid += try Self.exercise(text, checksTypes: Bool.random(using: &random)) ? 1 : 0
        } while ContinuousClock.now < end
        #expect(valid > 0)
    }

    /// - Returns: whether the text compiles.
    private static func exercise(_ text: String, checksTypes: Bool) throws -> Bool {
        var environment = Environment()
        environment.checksTypes = checksTypes
        environment.costLimit = 20_000
        let length = text.utf8.count
        do {
            let program = try Program(text, in: environment)
            switch program.evaluate(MapLookup(record, for: program)) {
            case .success(let value): _ = value.description
            case .failure(let error):
                if let range = error.range { #expect(range.upperBound <= length, "\(text)") }
            }
            return true
        } catch {
            #expect(!error.all.isEmpty, "\(text)")
            for diagnostic in error.all { #expect(diagnostic.range.upperBound <= length, "\(text): \(diagnostic)") }
            return false
        }
    }

    @Test("a value written as an expression is read as the same value")
    func descriptionsAreRead() throws {
        var random = SplitMix(state: Self.seed)
        for _ in 0..<300 {
            let value = RandomExpression.value(&random, depth: 3)
            let program = try Program(value.description)
            #expect(try program.evaluate(MapLookup([:], for: program)).get() == value)
        }
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
