internal import Synchronization

/// The stages between two places where a pipeline goes one element at a time, with the window that they share.
///
/// The last stage hands its results to the segment; the segment's committer hands them on, in order, one at a time.
/// Acts on ``CommitWindow`` outside its lock.
final class Segment<Output: Sendable>: Gate, ParallelInlet {
    private typealias Window = CommitWindow<Entry<Output>, CheckedContinuation<Bool, Never>>

    /// Large enough that taking the lock does not count, small enough that readers are not held up by a slow sink.
    private static var runLength: Int { 32 }

    private let window: Mutex<Window>
    private let outlet: any SerialInlet<Output>

    init(limits: WindowLimits, order: CommitOrder, outlet: any SerialInlet<Output>) {
        window = Mutex(Window(limits: limits, order: order))
        self.outlet = outlet
    }

    var gate: any Gate { self }

    func accept(_ element: Output, _ ticket: Ticket) async { settle(ticket, .element(element, ticket.place)) }

    func commit() async throws(PipelineError) {
        var run: [Window.Commit] = []
        while await take(into: &run) {
            for commit in run {
                switch commit {
                case .payload(let entry): try await outlet.receive(entry)
                case .partEnded(let part): try await outlet.partEnded(part)
                }
            }
        }
        try await outlet.finish()
    }

    private func take(into run: inout [Window.Commit]) async -> Bool {
        run.removeAll(keepingCapacity: true)
        while true {
            let (take, wakes) = window.withLock { $0.take(Self.runLength, into: &run) }
            wake(wakes)
            switch take {
            case .run: return true
            case .finished: return false
            case .wait:
                _ = await withCheckedContinuation { waiter in
                    if !window.withLock({ $0.wait(committer: waiter) }) { waiter.resume(returning: true) }
                }
            }
        }
    }

    private func settle(_ ticket: Ticket, _ entry: Entry<Output>?) {
        perform(
            window.withLock {
                $0.settle(part: ticket.part, sequence: ticket.sequence, weight: ticket.weight, payload: entry)
            })
    }

    private func perform(_ actions: Window.Actions) {
        actions.committer?.resume(returning: true)
        wake(actions.readers)
    }

    private func wake(_ readers: [Window.Wake]) {
        for reader in readers { reader.waiter.resume(returning: reader.granted) }
    }
}

extension Segment {
    func expect(parts count: Int) { window.withLock { $0.expect(parts: count) } }

    func openPart() -> Int? { window.withLock { $0.openPart() } }

    func reserve(part: Int) async -> Bool {
        switch window.withLock({ $0.reserve(part: part) }) {
        case .granted: true
        case .refused: false
        case .wait: await wait(part: part)
        }
    }

    private func wait(part: Int) async -> Bool {
        await withCheckedContinuation { waiter in
            let answer = window.withLock { $0.wait(part: part, waiter: waiter) }
            if answer != .wait { waiter.resume(returning: answer == .granted) }
        }
    }

    func admit(part: Int, place: Place?) -> Ticket {
        let (part, sequence) = window.withLock { $0.admit(part: part) }
        return Ticket(part: part, sequence: sequence, place: place ?? Place(part: part, index: sequence))
    }

    func drop(_ ticket: Ticket) { settle(ticket, nil) }

    func fail(_ ticket: Ticket, _ error: PipelineError) { settle(ticket, .failed(error)) }

    func bury(_ ticket: Ticket, _ letter: DeadLetter) { settle(ticket, .dead(letter)) }

    func pass(_ ticket: Ticket, partEnded part: Int) { settle(ticket, .partEnded(part)) }

    func reweigh(by change: Int) { perform(window.withLock { $0.reweigh(by: change) }) }

    func end(part: Int) { perform(window.withLock { $0.end(part: part) }) }

    func cut(part: Int) { perform(window.withLock { $0.cut(part: part) }) }

    func stop() { perform(window.withLock { $0.stop() }) }

    func close() { perform(window.withLock { $0.close() }) }
}
