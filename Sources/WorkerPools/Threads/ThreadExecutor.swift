/// A task executor with its own threads, for jobs that compute or block: they never occupy Swift's
/// cooperative pool.
///
/// Several pools may share one, which then bounds the processors that they use together. Each
/// thread has its own run queue, which idle neighbours steal from, and its own timer wheel, which
/// ``PoolClock`` uses. While a thread computes for long, its neighbours take over its wheel and the
/// tasks it has woken, every 4 ms or so; if all threads compute, sleepers wait like all other
/// tasks.
///
/// Tasks given to it with `executorPreference:` keep it alive. ``shutdown()`` stops the threads
/// once their queues are empty; so does releasing the last reference.
public final class ThreadExecutor: TaskExecutor {
    public let name: String
    private let group = ThreadGroup()
    private let threads: Guarded<[SystemThread]>

    /// - Parameters:
    ///   - count: how many threads, at least 1; normally the number of cores.
    ///   - name: each thread is called `name-0`, `name-1` and so on.
    ///   - quality: how eagerly the system runs them.
    public convenience init(threads count: Int, name: String, quality: ThreadQuality = .standard) {
        demand(count > 0, "executor '\(name)' needs at least one thread, not \(count)")
        self.init(upTo: count, name: name, quality: quality)
        demand(threadCount == count, "the system refused threads of executor '\(name)': it started \(threadCount) of \(count)")
    }

    /// Starts as many threads as the system allows: see ``threadCount``. With none, no job may be
    /// given to it.
    ///
    /// - Parameter count: the number of threads to start.
    package init(upTo count: Int, name: String, quality: ThreadQuality = .standard) {
        self.name = name
        let group = group
        let loops = (0..<count).map { RunLoop(index: $0, group: group) }
        threads = Guarded([])
        group.setLoops(loops)
        let identity = asUnownedTaskExecutor()
        var started: [SystemThread] = []
        for loop in loops {
            let thread = try? SystemThread(name: "\(name)-\(loop.index)", quality: quality) { loop.run(on: identity) }
            guard let thread else { break }
            started.append(thread)
        }
        group.setLoops(Array(loops.prefix(started.count)))
        threads.withLock { [started] in $0 = started }
    }

    deinit {
        shutdown()
        group.setLoops([])
    }

    public var threadCount: Int { group.loopCount }

    public func enqueue(_ job: consuming ExecutorJob) {
        demand(!group.isStopping, "a task came to executor '\(name)' after its shutdown; drain its pools first")
        group.enqueue(UnownedJob(job))
    }

    /// Waits until every runnable job has run and all threads have ended; further calls return at
    /// once.
    ///
    /// Drain the pools that use it first: a task that becomes runnable afterwards is a programming
    /// error and traps. Blocks the calling thread; called on one of its own threads, it does not
    /// wait for that one.
    public func shutdown() {
        group.stop()
        for thread in threads.withLock({ exchange(&$0, with: []) }) { thread.join() }
    }
}
