internal import DequeModule

/// What lies between reading an element and committing it, as a state machine without threads or
/// locks.
///
/// Every element takes a place in the window before it is read and gives it back once it is
/// committed, so the window bounds what a pipeline holds however the stages behave. A source's
/// parts are read side by side, but part `k` commits whole before part `k + 1` begins to.
///
/// Why it cannot get stuck: an admitted element becomes settled without waiting for any commit, and
/// the first part that is not fully committed (the head) may always read on once it holds nothing.
/// The other parts together never take the last quarter of either limit, so the head does not have
/// to wait for that moment.
///
/// Methods return what is to be done; ``Segment`` does it after leaving the lock.
struct CommitWindow<Payload, Waiter> {
    enum Reservation: Equatable { case granted, refused, wait }

    /// A reader to be woken, and whether it got its place.
    struct Wake {
        let waiter: Waiter
        let granted: Bool
    }

    struct Actions {
        var readers: [Wake] = []
        var committer: Waiter?
    }

    enum Commit {
        case payload(Payload)
        case partEnded(Int)
    }

    enum Take: Equatable { case run, wait, finished }

    private enum Phase { case open, stopping, closed }

    let limits: WindowLimits
    let order: CommitOrder
    private(set) var partCount = 0
    private var phase = Phase.open
    /// This part and later ones are not read any more.
    private var stopped = Int.max
    private var parts: Deque<WindowPart<Payload>> = []
    /// The index of `parts.first`: every part before it is committed.
    private(set) var head = 0
    private(set) var held = Load()
    /// Handed to the committer, and still held until it asks for more.
    private var taken = Load()
    /// Settled and not yet taken, in the order of settling; only when any order will do.
    private var arrived: Deque<(payload: Payload, weight: Int)> = []
    private var readers: [(part: Int, waiter: Waiter)] = []
    private var committer: Waiter?

    init(limits: WindowLimits, order: CommitOrder) {
        self.limits = limits
        self.order = order
    }

    mutating func expect(parts count: Int) { partCount = count }

    // A part's life: openPart, then reserve and admit by turns, then end or cut.

    /// The next part to read, in order; nil when there is none or reading has stopped.
    mutating func openPart() -> Int? {
        guard phase == .open, head + parts.count < min(partCount, stopped) else { return nil }
        parts.append(WindowPart())
        return head + parts.count - 1
    }

    /// Asks for a place for the part's next element. After `.wait`, ask again with
    /// ``wait(part:waiter:)``.
    mutating func reserve(part: Int) -> Reservation {
        guard phase == .open, part < stopped else { return .refused }
        guard hasRoom(for: part, slack: Load()) else { return .wait }
        grant(part)
        return .granted
    }

    /// As ``reserve(part:)``, but keeps the waiter when it answers `.wait`.
    mutating func wait(part: Int, waiter: Waiter) -> Reservation {
        let answer = reserve(part: part)
        if answer == .wait { readers.append((part, waiter)) }
        return answer
    }

    /// Turns the part's reserved place into an element's.
    mutating func admit(part: Int) -> (part: Int, sequence: Int) {
        guard phase != .closed else { return (part, -1) }
        return (part, parts[part - head].admit(keepingSlot: order == .input))
    }

    /// All of the part has been read.
    mutating func end(part: Int) -> Actions { close(part: part, as: .ended) }

    /// The part will not be read further, though it is not at its end.
    mutating func cut(part: Int) -> Actions { close(part: part, as: .cut) }

    /// An element changed its weight by so much on its way.
    mutating func reweigh(by change: Int) -> Actions {
        held.weight += change
        return Actions(readers: change < 0 ? wakeReaders() : [])
    }

    /// An element has left the last stage; nil if it leaves nothing to commit. Once closed, this
    /// does nothing.
    mutating func settle(part: Int, sequence: Int, weight: Int, payload: Payload?) -> Actions {
        guard phase != .closed else { return Actions() }
        let index = part - head
        if let payload {
            switch order {
            case .input:
                parts[index].settle(sequence, .settled(payload, weight: weight))
            case .any:
                parts[index].outstanding -= 1
                arrived.append((payload, weight))
            }
        } else {
            held.weight -= weight
            switch order {
            case .input:
                parts[index].settle(sequence, .dropped)
                held.elements -= parts[index].removeDropped()
            case .any:
                parts[index].outstanding -= 1
                held.elements -= 1
            }
        }
        return Actions(readers: payload == nil ? wakeReaders() : [], committer: wakeCommitter())
    }

    /// Moves what can be committed now, at most `count` payloads, to the end of `run`. Asking says
    /// that everything taken before has been committed.
    mutating func take(_ count: Int, into run: inout [Commit]) -> (Take, [Wake]) {
        let before = head
        held.elements -= taken.elements
        held.weight -= taken.weight
        let released = taken.elements > 0 || taken.weight > 0
        taken = Load()
        guard phase != .closed else { return (.finished, []) }
        switch order {
        case .input: takeInOrder(count, into: &run)
        case .any: takeArrived(count, into: &run)
        }
        let wakes = released || head != before ? wakeReaders() : []
        if !run.isEmpty { return (.run, wakes) }
        guard isFinished else { return (.wait, wakes) }
        phase = .closed
        return (.finished, wakes + refuseReaders())
    }

    /// Keeps the committer until something can be taken; false if it can be already.
    mutating func wait(committer waiter: Waiter) -> Bool {
        guard phase != .closed, !isReady, !isFinished else { return false }
        committer = waiter
        return true
    }

    /// No more reading; what has been admitted goes on to its commit.
    mutating func stop() -> Actions {
        if phase == .open { phase = .stopping }
        return Actions(readers: refuseReaders(), committer: wakeCommitter())
    }

    /// No more reading of this part and those after it; the ones before are read to their ends.
    mutating func stop(from part: Int) -> Actions {
        stopped = min(stopped, part)
        return Actions(readers: refuseReaders { $0 >= part })
    }

    /// Nothing more is committed.
    mutating func close() -> Actions {
        phase = .closed
        parts.removeAll()
        arrived.removeAll()
        return Actions(readers: refuseReaders(), committer: wakeCommitter())
    }
}

extension CommitWindow.Commit: Sendable where Payload: Sendable, Waiter: Sendable {}

extension CommitWindow {
    private mutating func close(part: Int, as end: WindowPart<Payload>.End) -> Actions {
        guard phase != .closed else { return Actions() }
        if parts[part - head].close(as: end) { held.elements -= 1 }
        return Actions(readers: wakeReaders(), committer: wakeCommitter())
    }

    private func hasRoom(for part: Int, slack: Load) -> Bool {
        guard part == head else {
            return held.elements < limits.elements - max(1, limits.elements / 4) - slack.elements
                && held.weight < limits.weight - limits.weight / 4 - slack.weight
        }
        // If the head holds nothing, all weight is that of later parts, and would not become less
        // by waiting.
        return held.elements < limits.elements - slack.elements
            && (held.weight < limits.weight - slack.weight || parts[0].isEmpty && taken.elements == 0)
    }

    private mutating func grant(_ part: Int) {
        parts[part - head].isReserved = true
        held.elements += 1
    }

    /// A reader that had to wait is woken only once an eighth of the window is free, so that it has
    /// something to do.
    private mutating func wakeReaders() -> [Wake] {
        guard !readers.isEmpty, phase == .open else { return [] }
        let slack = Load(elements: limits.elements / 8, weight: limits.weight / 8)
        var wakes: [Wake] = []
        var still: [(part: Int, waiter: Waiter)] = []
        for reader in readers.sorted(by: { $0.part < $1.part }) {
            if hasRoom(for: reader.part, slack: slack) {
                grant(reader.part)
                wakes.append(Wake(waiter: reader.waiter, granted: true))
            } else {
                still.append(reader)
            }
        }
        readers = still
        return wakes
    }

    /// - Parameter isRefused: of a part.
    private mutating func refuseReaders(_ isRefused: (Int) -> Bool = { _ in true }) -> [Wake] {
        let refused = readers.filter { isRefused($0.part) }
        readers.removeAll { isRefused($0.part) }
        return refused.map { Wake(waiter: $0.waiter, granted: false) }
    }

    private mutating func wakeCommitter() -> Waiter? {
        guard committer != nil, phase == .closed || isReady || isFinished else { return nil }
        return committer.take()
    }

    private var isReady: Bool {
        if !arrived.isEmpty { return true }
        guard let first = parts.first else { return false }
        return first.isFrontSettled || first.isComplete
    }

    private var isFinished: Bool {
        if head == partCount { return true }
        guard phase != .open else { return phase == .closed }
        switch order {
        case .input: return parts.first?.isCutOff ?? true
        case .any: return arrived.isEmpty && parts.allSatisfy { $0.isCutOff || $0.isComplete }
        }
    }

    private mutating func takeInOrder(_ count: Int, into run: inout [Commit]) {
        // No copy of the part is held here: changing it would then copy its slots.
        while taken.elements < count, !parts.isEmpty {
            if parts[0].isComplete {
                endHead(into: &run)
            } else if let (payload, weight) = parts[0].takeFront() {
                taken.elements += 1
                taken.weight += weight
                held.elements -= parts[0].removeDropped()
                run.append(.payload(payload))
            } else {
                return
            }
        }
    }

    private mutating func takeArrived(_ count: Int, into run: inout [Commit]) {
        while taken.elements < count, let (payload, weight) = arrived.popFirst() {
            taken.elements += 1
            taken.weight += weight
            run.append(.payload(payload))
        }
        guard arrived.isEmpty else { return }
        while !parts.isEmpty, parts[0].isComplete { endHead(into: &run) }
    }

    private mutating func endHead(into run: inout [Commit]) {
        parts.removeFirst()
        run.append(.partEnded(head))
        head += 1
    }
}
