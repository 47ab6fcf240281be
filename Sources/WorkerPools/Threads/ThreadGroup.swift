import Synchronization

/// The threads of one ``ThreadExecutor`` as they see each other: which are idle, which can be
/// stolen from, whether to stop.
final class ThreadGroup: Sendable {
    private struct State {
        var loops: [RunLoop] = []
        var idle: [RunLoop] = []
        var turn = 0
    }

    private let state = Guarded(State())
    /// The count of `state.idle`, changed under the lock and read without it.
    private let idleCount = Atomic(0)
    private let stopping = Atomic(false)
    /// Whether a parked thread, the watcher, wakes up now and then, because others are busy or have
    /// sleepers.
    private let hasWatcher = Atomic(false)
    /// Whether a thread has been woken to become the watcher.
    private let isWakingWatcher = Atomic(false)

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }
    var hasWork: Bool { loops.contains(where: \.hasReady) }
    var loopCount: Int { loops.count }
    private var loops: [RunLoop] { state.withLock { $0.loops } }

    /// Loops hold this group in turn, until there are none here.
    func setLoops(_ loops: [RunLoop]) {
        state.withLock { $0.loops = loops }
    }

    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        for loop in loops { loop.unpark() }
    }

    /// Runs the job on the caller's own thread if it belongs to this group, else on an idle thread
    /// or the next in turn. Where it is pushed to a thread that may be busy, an idle one is looked
    /// for afterwards, so that one that goes idle meanwhile either finds the job or is found.
    func enqueue(_ job: UnownedJob) {
        if let own = RunLoop.current, own.group === self {
            own.push(job)
            wakeOne()
        } else if let idle = takeIdle(giving: job) {
            idle.unpark()
        } else {
            let next = state.withLock { state in
                state.turn = (state.turn + 1) % state.loops.count
                return state.loops[state.turn]
            }
            next.push(job)
            wakeOne()
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

    /// - Parameter job: pushed under the lock, so that the thread sees it once it is off the list,
    ///   and that another must watch if it finds something else to do.
    private func takeIdle(giving job: UnownedJob? = nil) -> RunLoop? {
        guard idleCount.load(ordering: .sequentiallyConsistent) > 0 else { return nil }
        return state.withLock { state in
            guard let idle = state.idle.popLast() else { return nil }
            idleCount.subtract(1, ordering: .sequentiallyConsistent)
            if let job { idle.push(job) }
            return idle
        }
    }

    func wakeOne() { takeIdle()?.unpark() }

    func steal(for thief: RunLoop) -> UnownedJob? {
        let loops = loops
        for step in 1..<max(loops.count, 2) where loops.count > 1 {
            if let job = loops[(thief.index + step) % loops.count].giveHalf(to: thief) { return job }
        }
        return nil
    }

    /// Called before a thread parks, once it is among the idle.
    /// - Returns: when it must check its neighbours, as the watcher, until ``endWatch()``; nil if
    ///   there is one already, or none has anything to do. So while some threads compute one of the
    ///   others checks every 4 ms, and an idle executor stays idle.
    func watch() -> UInt64? {
        // A task that goes to sleep looks for a watcher afterwards, so either we find the sleeper
        // here or we are woken again. It may have mistaken us for the watcher while we looked, so
        // we look again once we are not it.
        isWakingWatcher.store(false, ordering: .sequentiallyConsistent)
        while true {
            guard !hasWatcher.exchange(true, ordering: .sequentiallyConsistent) else { return nil }
            guard isQuiescent else { return OperatingSystem.now + 4_000_000 }
            endWatch()
            guard !isQuiescent else { return nil }
        }
    }

    private var isQuiescent: Bool {
        let (loops, idle) = state.withLock { ($0.loops, $0.idle.count) }
        return idle == loops.count && loops.allSatisfy(\.isQuiescent)
    }

    func endWatch() { hasWatcher.store(false, ordering: .sequentiallyConsistent) }

    /// A thread has a sleeper: one of the idle ones must keep watch, in case this one computes for
    /// long.
    func ensureWatcher() {
        guard !hasWatcher.load(ordering: .sequentiallyConsistent),
            idleCount.load(ordering: .sequentiallyConsistent) > 0,
            !isWakingWatcher.exchange(true, ordering: .sequentiallyConsistent)
        else { return }
        if let idle = takeIdle() { idle.unpark() } else { isWakingWatcher.store(false, ordering: .sequentiallyConsistent) }
    }

    /// A thread that may have kept watch, or was woken to, has found work instead. Another must
    /// watch if a task sleeps, or was woken and waits behind a job that computes.
    func handOverWatch() {
        isWakingWatcher.store(false, ordering: .sequentiallyConsistent)
        if !loops.allSatisfy(\.isQuiescent) { ensureWatcher() }
    }

    /// Takes over sleepers whose own thread has not woken them.
    func takeOverLateSleepers(for helper: RunLoop, at now: UInt64) {
        for loop in loops where loop !== helper { loop.giveLateSleepers(at: now, to: helper) }
    }
}
