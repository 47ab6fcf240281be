/// One thread with timers, for sleepers and pools that run on no ``ThreadExecutor``. Started on
/// first use.
public final class WheelThread: Alarms {
    private struct State {
        var timers = TimerQueue<@Sendable () -> Void>()
        /// When the thread will check next; an earlier deadline has to wake it.
        var checksAt: UInt64 = 0

        /// - Returns: whether the thread has to be woken.
        mutating func insert(_ id: UInt64, due: UInt64, _ body: @escaping @Sendable () -> Void) -> Bool {
            timers.insert(id, due: due, body)
            return due < checksAt
        }
    }

    /// The process's own; it lives as long as the process and sleeps while nothing is due.
    public static let shared: WheelThread = {
        guard let started else { fatalError("the system refused the thread that wakes sleepers") }
        return started
    }()

    /// ``shared``, started; `nil` if the system refused its thread.
    private static let started = try? WheelThread()

    /// Starts the thread of ``shared``, unless it runs already.
    ///
    /// - Returns: false if the system refuses it.
    package static func start() -> Bool { started != nil }

    private let state = Guarded(State())
    private let spot = ParkingSpot()

    private init() throws(SystemThread.Refused) {
        let thread = try SystemThread(name: "pool-wheel") { [self] in
            while true { fireNext() }
        }
        thread.detach()
    }

    private func fireNext() {
        let (body, next) = state.withLock { state in
            let first = state.timers.popFirst(until: OperatingSystem.now)
            let next = state.timers.nextDue
            state.checksAt = first == nil ? next ?? .max : 0
            return (first?.payload, next)
        }
        if let body { body() } else { spot.park(until: next) }
    }

    public var now: UInt64 { OperatingSystem.now }

    public func call(at due: UInt64, _ body: @escaping @Sendable () -> Void) {
        if state.withLock({ $0.insert($0.timers.reserve(), due: due, body) }) { spot.unpark() }
    }

    /// Throws if the task is cancelled before or while it sleeps, or at the latest when it has been
    /// woken.
    func sleep(until due: UInt64) async throws(CancellationError) {
        let id = state.withLock { $0.timers.reserve() }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isEarly = state.withLock { state -> Bool? in
                    // A cancellation that came before is seen here; a later one finds the entry.
                    Task.isCancelled ? nil : state.insert(id, due: due) { continuation.resume() }
                }
                guard let isEarly else { return continuation.resume() }
                if isEarly { spot.unpark() }
            }
        } onCancel: {
            state.withLock { $0.timers.remove(id) }?()
        }
        if Task.isCancelled { throw CancellationError() }
    }
}
