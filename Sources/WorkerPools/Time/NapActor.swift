/// Puts a task to sleep on its thread's own wheel.
///
/// A hop to this actor is the sleep itself: the task arrives as a job of the actor's executor,
/// which is the run loop, which runs it when its time has come. Nothing is isolated here, so the
/// loop may run the job like any other, and the hop back finds itself already there. That spares
/// the runtime a continuation and a detour through the task's executor preference.
@usableFromInline
actor NapActor {
    private nonisolated let loop: RunLoop

    init(_ loop: RunLoop) { self.loop = loop }

    @usableFromInline
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// The actor of the calling thread, set up for a nap of this length if the caller hops to it at
    /// once; nil if this is not a run loop's thread or the sleep is too long for a nap.
    @usableFromInline
    static func prepared(for duration: Duration) -> NapActor? {
        guard duration <= PoolClock.longestNap, let loop = RunLoop.current else { return nil }
        return loop.prepareNap(for: duration.nanoseconds)
    }

    /// - Returns: whether the task was cancelled in the meantime.
    @inline(never) @usableFromInline
    func wakeUp() -> Bool { Task.isCancelled }
}
