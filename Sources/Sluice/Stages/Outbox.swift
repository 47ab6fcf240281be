internal import DequeModule
internal import Synchronization

/// A queue with one taker, which may be filled without waiting.
///
/// Its capacity holds those who ask for room before they begin something; what they then put in is
/// always taken.
final class Outbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: Deque<Element> = []
        var isFinished = false
        var taker: CheckedContinuation<Void, Never>?
        var waiting: Deque<CheckedContinuation<Void, Never>> = []
    }

    private let capacity: Int
    private let state = Locked(State())

    init(capacity: Int) {
        self.capacity = capacity
    }

    func put(_ element: Element) {
        let taker = state.withLock { state in
            state.elements.append(element)
            return state.taker.take()
        }
        taker?.resume()
    }

    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                if state.elements.count < capacity || state.isFinished { return true }
                state.waiting.append(continuation)
                return false
            }
            if hasRoom { continuation.resume() }
        }
    }

    /// The oldest element; nil once finished and empty.
    func next() async -> Element? {
        while true {
            let (element, waiter, isFinished) = state.withLock { state in
                let element = state.elements.popFirst()
                let waiter = element == nil ? nil : state.waiting.popFirst()
                return (element, waiter, state.isFinished)
            }
            waiter?.resume()
            if let element { return element }
            if isFinished { return nil }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.elements.isEmpty || state.isFinished { return true }
                    state.taker = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    func finish() {
        let (taker, waiting) = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = [] }
            return (state.taker.take(), state.waiting)
        }
        taker?.resume()
        for continuation in waiting { continuation.resume() }
    }
}
