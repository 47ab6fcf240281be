internal import Synchronization

/// Where every pipeline ends: elements are counted as written, dead letters go to their sink, a
/// failure stops the run.
final class Ending<Element: Sendable>: SerialInlet {
    private let ledger: RunLedger
    private let deadLetters: (any Sink<DeadLetter>)?

    init(ledger: RunLedger, deadLetters: (any Sink<DeadLetter>)?) {
        self.ledger = ledger
        self.deadLetters = deadLetters
    }

    func receive(_ element: Element, at place: Place) async throws(PipelineError) { ledger.written.count() }

    func receive(_ mark: Mark) async throws(PipelineError) {
        switch mark {
        case .failed(let reason): throw reason
        case .dead(let letter):
            do {
                try await deadLetters?.write(letter)
            } catch {
                throw .deadLetters(error)
            }
            ledger.deadLetters.count()
        case .partEnded(let part):
            do {
                try await deadLetters?.partEnded(part)
            } catch {
                throw .deadLetters(error)
            }
        }
    }

    func finish() async throws(PipelineError) {}
}
