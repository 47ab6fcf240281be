/// One thread with one timer wheel, for sleepers and pools that run on no ``ThreadExecutor``.
/// Started on first use.
public final class WheelThread: Alarms {
    /// The process's own; it lives as long as the process and sleeps while nothing is due.
    public static let shared: WheelThread = {
        guard let started else { fatalError("the system refused the thread that wakes sleepers") }
        return started
    }()

    /// ``shared``, started; `nil` if the system refused its thread.
    private static let started: WheelThread? = {
        do throws(SystemThread.Refused) {
            return try WheelThread()
        } catch {
            return nil
        }
    }()

    /// Starts the thread of ``shared``, unless it runs already.
    ///
    /// - Returns: false if the system refuses it.
    package static func start() -> Bool { started != nil }

    let timers: Timers
    private let spot: ParkingSpot

    private init() throws(SystemThread.Refused) {
        let spot = ParkingSpot()
        let timers = Timers(wake: { spot.unpark() })
        self.spot = spot
        self.timers = timers
        _ = try NamedThread(name: "pool-wheel") {
            var fired: [Alarm] = []
            while true {
                let next = timers.takeDue(into: &fired)
                if fired.isEmpty { spot.park(until: next) }
                for alarm in fired { alarm.fire() }
                fired.removeAll(keepingCapacity: true)
            }
        }
    }

    public var now: UInt64 { Timers.now }

    public func call(at due: UInt64, _ body: @escaping @Sendable () -> Void) {
        timers.call(at: due, body)
    }
}
