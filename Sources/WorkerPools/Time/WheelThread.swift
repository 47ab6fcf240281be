/// One thread with one timer wheel, for sleepers and pools that run on no ``ThreadExecutor``.
/// Started on first use.
public final class WheelThread: Alarms {
    /// The process's own; it lives as long as the process and sleeps while nothing is due.
    public static let shared = WheelThread()

    let timers: Timers
    private let spot: ParkingSpot

    private init() {
        let spot = ParkingSpot()
        let timers = Timers(wake: { spot.unpark() })
        self.spot = spot
        self.timers = timers
        _ = NamedThread(name: "pool-wheel") {
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
