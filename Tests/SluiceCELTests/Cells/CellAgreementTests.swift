import Testing

@testable import SluiceCEL

@Suite("Programs over cells and the generic evaluator")
struct CellAgreementTests {
    @Test("agree on generated expressions and records, errors and their places included", arguments: 0..<16)
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

    private func program(_ text: String) -> CellProgram? {
        do {
            return try CellProgram(text)
        } catch {
            return nil
        }
    }

    /// As a program over cells gives an optional result.
    private func unwrapped(_ result: Result<Value, EvaluationError>) -> Result<Value, EvaluationError> {
        guard case .success(.optional(let wrapped?)) = result else { return result }
        return .success(wrapped)
    }
}
