import Synchronization

/// The threads of one ``ThreadExecutor`` as they see each other: who rests, who can be robbed, whether to stop.
final class ThreadGroup: Sendable {
    private struct State {
        var loops: [RunLoop] = []
        var idle: [RunLoop] = []
        var turn = 0
    }

    private let state = Guarded(State())
    /// That of `state.idle`, changed under the lock and read without it.
    private let idleCount = Atomic(0)
    private let stopping = Atomic(false)
    /// Resting threads that look up now and then, because another has sleepers or work that waits.
    private let watchers = Atomic(0)
    /// One has been woken to become a watcher.
    private let isWakingWatcher = Atomic(false)

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }
    var hasWork: Bool { state.withLock { $0.loops }.contains(where: \.hasReady) }

    func setLoops(_ loops: [RunLoop]) {
        state.withLock { $0.loops = loops }
    }

    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        let loops = state.withLock { state in
            defer { state.turn = 0 }
            return state.loops
        }
        for loop in loops { loop.unpark() }
    }

    /// Lets the loops go, which hold this crew in turn.
    func releaseLoops() {
        state.withLock { state in
            state.loops = []
            state.idle = []
        }
    }

    /// Runs on the caller's own thread if that is one of ours, else on a resting thread or the next in turn.
    func enqueue(_ job: UnownedJob) {
        if let own = RunLoop.current, own.belongs(to: self) {
            own.push(job)
            if idleCount.load(ordering: .sequentiallyConsistent) > 0 { wakeOne() }
            return
        }
        let (target, isIdle) = state.withLock { state -> (RunLoop, Bool) in
            if let idleLoop = state.idle.popLast() {
                idleCount.subtract(1, ordering: .sequentiallyConsistent)
                return (idleLoop, true)
            }
            state.turn = (state.turn + 1) % state.loops.count
            return (state.loops[state.turn], false)
        }
        target.push(job)
        if isIdle {
            target.unpark()
        } else if idleCount.load(ordering: .sequentiallyConsistent) > 0 {
            wakeOne(preferring: target)
        }
    }

    func goIdle(_ loop: RunLoop) {
        state.withLock { state in
            state.idle.append(loop)
            idleCount.add(1, ordering: .sequentiallyConsistent)
        }
    }

    func leaveIdle(_ loop: RunLoop) {
        state.withLock { state in
            guard let index = state.idle.firstIndex(where: { $0 === loop }) else { return }
            state.idle.remove(at: index)
            idleCount.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    func steal(for thief: RunLoop) -> UnownedJob? {
        let loops = state.withLock { $0.loops }
        for step in 1..<max(loops.count, 2) where loops.count > 1 {
            if let job = loops[(thief.index + step) % loops.count].giveHalf(to: thief) { return job }
        }
        return nil
    }

    /// Before a thread rests, and once it is among the idle.
    /// - Returns: when it must look after its neighbours, until ``endWatch()``; nil if they are all at rest. So while one
    ///   thread computes the others look every 4 ms, and an executor at rest is at rest.
    func watch() -> UInt64? {
        // Whoever lies down looks for watchers afterwards, so either we find the sleeper here or we are called again. He may
        // have taken us for one while we looked, so we look again once we are none.
        isWakingWatcher.store(false, ordering: .sequentiallyConsistent)
        while true {
            watchers.add(1, ordering: .sequentiallyConsistent)
            guard isQuiescent else { return Timers.now + 4_000_000 }
            watchers.subtract(1, ordering: .sequentiallyConsistent)
            guard !isQuiescent else { return nil }
        }
    }

    private var isQuiescent: Bool {
        let (loops, idle) = state.withLock { ($0.loops, $0.idle.count) }
        return idle == loops.count && loops.allSatisfy(\.isQuiescent)
    }

    func endWatch() { watchers.subtract(1, ordering: .sequentiallyConsistent) }

    /// A thread has a sleeper: one of the resting ones must keep watch, should this one compute for long.
    func ensureWatcher() {
        guard watchers.load(ordering: .sequentiallyConsistent) == 0,
            idleCount.load(ordering: .sequentiallyConsistent) > 0,
            !isWakingWatcher.exchange(true, ordering: .sequentiallyConsistent)
        else { return }
        if !wakeOne() { isWakingWatcher.store(false, ordering: .sequentiallyConsistent) }
    }

    /// A thread that may have kept watch, or was called to, has found work instead. Another must watch if somebody sleeps, or
    /// was woken and waits behind a job that computes.
    func handOverWatch() {
        isWakingWatcher.store(false, ordering: .sequentiallyConsistent)
        guard idleCount.load(ordering: .sequentiallyConsistent) > 0,
            watchers.load(ordering: .sequentiallyConsistent) == 0
        else { return }
        if !state.withLock({ $0.loops }).allSatisfy(\.isQuiescent) { ensureWatcher() }
    }

    /// More has become runnable than its thread will soon come to.
    func wakeHelper() {
        if idleCount.load(ordering: .sequentiallyConsistent) > 0 { wakeOne() }
    }

    /// Takes over sleepers whose own thread has not come to it.
    func takeOverLateSleepers(for helper: RunLoop, at now: UInt64) {
        let loops = state.withLock { $0.loops }
        for loop in loops where loop !== helper { loop.giveLateSleepers(at: now, to: helper) }
    }

    @discardableResult
    private func wakeOne(preferring target: RunLoop? = nil) -> Bool {
        let chosen = state.withLock { state -> RunLoop? in
            guard !state.idle.isEmpty else { return nil }
            idleCount.subtract(1, ordering: .sequentiallyConsistent)
            if let target, let index = state.idle.firstIndex(where: { $0 === target }) {
                return state.idle.remove(at: index)
            }
            return state.idle.removeLast()
        }
        chosen?.unpark()
        return chosen != nil
    }
}
