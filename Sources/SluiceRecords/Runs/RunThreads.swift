import WorkerPools

/// The threads that a run may start.
struct RunThreads: Sendable {
    /// Threads that a run starts beside its workers: one for timers, one for each stage that talks
    /// to others, three to start and watch its children, and more of Swift's own pool.
    private static let others = 8
    /// Threads of Swift's own pool that there are once the command runs asynchronously.
    fileprivate static let ofPool = 3

    let workers: Int
    /// Set if the system refuses even those of one worker.
    let refusal: RunError?
    let notice: String?

    /// Why a run cannot begin whose threads were refused when it started them.
    static var refusal: RunError { .threads(allowed: ThreadAllowance.threads(upTo: others), needed: others + 1) }

    /// - Parameters:
    ///   - wanted: the number of workers that the run should have.
    ///   - more: further threads to come.
    init(workers wanted: Int, and more: Int = 0) {
        let others = Self.others + more
        let allowed = ThreadAllowance.threads(upTo: wanted + others)
        workers = max(1, min(wanted, allowed - others))
        refusal = allowed > others ? nil : .threads(allowed: allowed, needed: others + 1)
        notice = workers < wanted ? "the system refuses more threads, so that the run has \(workers) workers instead of \(wanted)" : nil
    }
}

extension RecordRun {
    /// Checks that the system allows the threads of a run with one worker. To be called before
    /// anything is awaited: Swift's own pool waits for ever for threads that it is refused.
    package static func checkThreads() throws(RunError) {
        if let refusal = RunThreads(workers: 1, and: RunThreads.ofPool).refusal { throw refusal }
        // Needed for the first sleep, where it could be refused.
        guard WheelThread.start() else { throw RunThreads.refusal }
    }
}
