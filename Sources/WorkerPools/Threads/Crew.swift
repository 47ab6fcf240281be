import Synchronization

/// The threads of one ``ThreadExecutor`` as they see each other: who rests, who can be robbed, whether to stop.
final class Crew: Sendable {
    private struct State {
        var loops: [RunLoop] = []
        var idle: [RunLoop] = []
        var turn = 0
    }

    private let state = Guarded(State())
    private let idleCount = Atomic(0)
    private let stopping = Atomic(false)

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }
    var hasWork: Bool { state.withLock { $0.loops }.contains { !$0.isEmpty } }

    func hire(_ loops: [RunLoop]) {
        state.withLock { $0.loops = loops }
    }

    func dismiss() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        let loops = state.withLock { state in
            defer { state.turn = 0 }
            return state.loops
        }
        for loop in loops { loop.unpark() }
    }

    /// Lets the loops go, which hold this crew in turn.
    func disband() {
        state.withLock { state in
            state.loops = []
            state.idle = []
        }
    }

    /// Runs on the caller's own thread if that is one of ours, else on a resting thread or the next in turn.
    func enqueue(_ job: UnownedJob) {
        if let own = RunLoop.current, own.isOn(self) {
            own.push(job)
            if idleCount.load(ordering: .sequentiallyConsistent) > 0 { wakeOne() }
            return
        }
        let target = state.withLock { state -> RunLoop in
            if let resting = state.idle.last { return resting }
            state.turn = (state.turn + 1) % state.loops.count
            return state.loops[state.turn]
        }
        target.push(job)
        if idleCount.load(ordering: .sequentiallyConsistent) > 0 { wakeOne(preferring: target) }
    }

    func goIdle(_ loop: RunLoop) {
        state.withLock { $0.idle.append(loop) }
        idleCount.add(1, ordering: .sequentiallyConsistent)
    }

    func leaveIdle(_ loop: RunLoop) {
        let present = state.withLock { state -> Bool in
            guard let place = state.idle.firstIndex(where: { $0 === loop }) else { return false }
            state.idle.remove(at: place)
            return true
        }
        if present { idleCount.subtract(1, ordering: .sequentiallyConsistent) }
    }

    func steal(for thief: RunLoop) -> UnownedJob? {
        let loops = state.withLock { $0.loops }
        for step in 1..<max(loops.count, 2) where loops.count > 1 {
            if let job = loops[(thief.index + step) % loops.count].giveHalf(to: thief) { return job }
        }
        return nil
    }

    private func wakeOne(preferring target: RunLoop? = nil) {
        let chosen = state.withLock { state -> RunLoop? in
            guard !state.idle.isEmpty else { return nil }
            if let target, let place = state.idle.firstIndex(where: { $0 === target }) {
                return state.idle.remove(at: place)
            }
            return state.idle.removeLast()
        }
        guard let chosen else { return }
        idleCount.subtract(1, ordering: .sequentiallyConsistent)
        chosen.unpark()
    }
}
