import Testing

@testable import SluiceRecords

@Suite("Answers of several lines")
struct ManyAnswersTests {
    private static let start = ContinuousClock.now

    /// The steps that result from a child's output, split at `cut`, once its first answer is
    /// accepted.
    private func steps(for output: String, cutAt cut: Int) -> [ChildProtocol.Step] {
        var rules = ChildProtocol(asking: Array("{}\n".utf8), bounds: ChildProtocol.Bounds(timeout: .seconds(5), answersMany: true))
        var steps = rules.started(now: Self.start)
        rules.wrote(3)
        let bytes = Array(output.utf8)
        for piece in [bytes[..<cut], bytes[cut...]] where !piece.isEmpty { steps += rules.received(piece, now: Self.start) }
        if rules.state == .settling { steps += rules.tooLate(now: Self.start + .seconds(1)) }
        return steps
    }

    static let whole: [(output: String, answer: String)] = [
        ("\n", ""), ("{}\n\n", "{}"), ("{\"a\":1}\n{\"b\":2}\n{}\n\n", "{\"a\":1}\n{\"b\":2}\n{}"),
    ]

    @Test("end with an empty line, however they are split", arguments: whole)
    func ends(output: String, answer: String) {
        for cut in 0...output.utf8.count { #expect(steps(for: output, cutAt: cut) == [.answer(Array(answer.utf8)), .free]) }
    }

    @Test("a line that is not an object, and one after the end, are breaches")
    func breaches() {
        for output in ["{}\nno\n\n", "{}\n\n{}\n", "\n\n"] {
            for cut in 0...output.utf8.count {
                let steps = steps(for: output, cutAt: cut)
                #expect(steps.contains { if case .fail(let failure) = $0 { failure.code == .breach } else { false } }, "\(output.debugDescription) at \(cut)")
            }
        }
    }
}
