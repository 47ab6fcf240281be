import Testing

@testable import SluiceCEL

@Suite("Programs over cells and the generic evaluator")
struct CellAgreementTests {
    @Test("agree on generated expressions and records, including errors and their locations", arguments: 0..<16)
    func agree(seed: UInt64) throws {
        var generator = ExpressionGenerator(seed: seed)
        let fixture = CellFixture()
        var compiled = 0
        for _ in 0..<120 {
            let text = generator.condition(depth: 4)
            guard let program = program(text) else { continue }
            compiled += 1
            for _ in 0..<6 {
                let record = generator.record(fixture)
                let fast = fixture.evaluate(program, record)
                let generic = unwrapped(fixture.evaluateGenerically(program, record))
                #expect(areSame(fast, generic), "\(text)\n fast: \(fast)\n generic: \(generic)\n record: \(record)")
                if case .success(.bool(let value)) = fast { #expect(fixture.test(program, record) == value) }
                fixture.scratch.reset()
            }
        }
        #expect(compiled > 40)
    }

    @Test("agree on expressions from the whole language, mostly invalid, checked or not", arguments: 0..<8)
    func agreeOnNonsense(seed: UInt64) throws {
        var random = SplitMix(state: seed &* 0x9FB2_1C65_1E98_DF25)
        let fixture = CellFixture()
        var compared = 0
        for _ in 0..<400 {
            let text = RandomExpression.expression(&random, depth: 5)
            var environment = Environment()
            environment.checksTypes = Bool.random(using: &random)
            guard let program = program(text, in: environment) else { continue }
            for _ in 0..<3 {
                var record: [String: Cell] = [:]
                for name in ["a", "b", "c", "d", "e", "f", "t"] where Int.random(in: 0..<10, using: &random) > 0 {
                    record[name] = fixture.scratch.cell(of: RandomExpression.value(&random, depth: 2))
                }
                let others: [Slot: Cell] = [.record: fixture.scratch.box(.map(["k": .int(1)])), .sourceFile: fixture.text("f"), .sourceLine: .int(1)]
                let fast = fixture.evaluate(program, record, others: others)
                let generic = unwrapped(fixture.evaluateGenerically(program, record, others: others))
                guard !isCostLimit(fast), !isCostLimit(generic) else { continue }
                #expect(areSame(fast, generic), "\(text)\n fast: \(fast)\n generic: \(generic)")
                compared += 1
            }
            fixture.scratch.reset()
        }
        #expect(compared > 100)
    }

    /// The only difference: over cells, each part of an expression that is left to the generic
    /// evaluator has its own cost budget.
    private func isCostLimit(_ result: Result<Value, EvaluationError>) -> Bool {
        if case .failure(let error) = result { return error.code == .costLimit }
        return false
    }

    private func program(_ text: String, in environment: Environment = Environment()) -> CellProgram? {
        do {
            return try CellProgram(text, in: environment)
        } catch {
            return nil
        }
    }

    /// An optional result as a program over cells returns it.
    private func unwrapped(_ result: Result<Value, EvaluationError>) -> Result<Value, EvaluationError> {
        guard case .success(.optional(let wrapped?)) = result else { return result }
        return .success(wrapped)
    }
}
