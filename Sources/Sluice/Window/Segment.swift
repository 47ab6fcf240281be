internal import Synchronization

/// The stages between two places where a pipeline goes one element at a time, with the window that
/// they share.
///
/// Acts on ``CommitWindow`` outside its lock. Knows nothing of the elements' types: a generic
/// window would look up its types at run time for each element, which costs more than all the rest.
final class Segment: Sendable {
    private typealias Window = CommitWindow<Settled, CheckedContinuation<Bool, Never>>

    /// Large enough that taking the lock does not count, small enough that readers are not held up
    /// by a slow sink.
    private static var runLength: Int { 32 }

    private let window: Locked<Window>
    private let outlet: any MarkInlet

    init(limits: WindowLimits, order: CommitOrder, outlet: any MarkInlet) {
        window = Locked(Window(limits: limits, order: order))
        self.outlet = outlet
    }

    /// Runs until everything is committed or the segment is stopped and empty.
    ///
    /// - Throws: why the run cannot go on; nothing more is committed then.
    func commit() async throws(PipelineError) {
        var run: [Window.Commit] = []
        while await take(into: &run) {
            for commit in run {
                switch commit {
                case .payload(.element(let parcel)): try await parcel.deliver()
                case .payload(.mark(let mark)): try await outlet.receive(mark)
                case .partEnded(let part): try await outlet.receive(.partEnded(part))
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

    private func perform(_ actions: Window.Actions) {
        actions.committer?.resume(returning: true)
        wake(actions.readers)
    }

    private func wake(_ readers: [Window.Wake]) {
        for reader in readers { reader.waiter.resume(returning: reader.granted) }
    }
}

// A source's or an admission's way in.
extension Segment {
    func expect(parts count: Int) { window.withLock { $0.expect(parts: count) } }

    func openPart() -> Int? { window.withLock { $0.openPart() } }

    /// Waits for room for the part's next element; false if nothing more is to be read.
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

    /// - Parameter place: where the element came from; nil if this segment is fed by the source
    ///   itself.
    func admit(part: Int, place: Place?) -> Ticket {
        let (part, sequence) = window.withLock { $0.admit(part: part) }
        return Ticket(part: part, sequence: sequence, place: place ?? Place(part: part, index: sequence))
    }

    func end(part: Int) { perform(window.withLock { $0.end(part: part) }) }

    func cut(part: Int) { perform(window.withLock { $0.cut(part: part) }) }

    /// No more reading.
    func stop() { perform(window.withLock { $0.stop() }) }

    /// No more reading of this part and those after it.
    func stop(from part: Int) { perform(window.withLock { $0.stop(from: part) }) }

    /// No more committing.
    func close() { perform(window.withLock { $0.close() }) }
}

// An element's way out.
extension Segment {
    /// Each ticket is settled once.
    ///
    /// - Parameter settled: nil if nothing of the element is left.
    func settle(_ ticket: Ticket, _ settled: Settled?) {
        perform(
            window.withLock {
                $0.settle(part: ticket.part, sequence: ticket.sequence, weight: ticket.weight, payload: settled)
            })
    }

    func reweigh(by change: Int) { perform(window.withLock { $0.reweigh(by: change) }) }
}
