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
    /// A resting thread looks up now and then, because a busy one has sleepers.
    private let isWatched = Atomic(false)

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
        isWatched.store(false, ordering: .relaxed)
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

    /// Before a thread rests.
    /// - Returns: when it must look after its neighbours' wheels; nil if no one naps on them. Naps are 20 ms at most, so an
    ///   executor at rest is at rest.
    func watch(_ loop: RunLoop) -> UInt64? {
        let neighbours = state.withLock { $0.loops }.filter { $0 !== loop }
        guard neighbours.contains(where: \.timers.isPending) else { return nil }
        isWatched.store(true, ordering: .sequentiallyConsistent)
        return Timers.now + 4_000_000
    }

    /// A busy thread has a sleeper: one of the resting ones must keep watch.
    func seeToWatch() {
        guard !isWatched.load(ordering: .relaxed), idleCount.load(ordering: .relaxed) > 0 else { return }
        isWatched.store(true, ordering: .relaxed)
        wakeOne()
    }

    /// Wakes sleepers whose own thread has not come to it.
    func help(_ helper: RunLoop, _ fired: inout [Alarm]) {
        let loops = state.withLock { $0.loops }
        guard loops.count > 1 else { return }
        let now = Timers.now
        for loop in loops where loop !== helper && loop.timers.isNeglected(at: now) {
            loop.timers.takeDue(into: &fired)
            helper.ring(&fired)
        }
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
