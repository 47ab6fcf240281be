/// How many threads the system lets this process start: RLIMIT_NPROC and the `pids` limit of a
/// control group refuse them without notice, and Swift's own pool then waits for ever.
package enum ThreadAllowance {
    /// Starts threads and ends them again, which takes about 20 µs for each.
    ///
    /// - Returns: the number of threads that can exist at once in addition to those that do, up to
    ///   `most`. Other processes may take them in the meantime.
    package static func threads(upTo most: Int) -> Int {
        // No thread ends before the last has begun. Each waits at a place of its own: a lock would
        // be handed from one to the next.
        var started: [(thread: SystemThread, spot: ParkingSpot)] = []
        while started.count < most {
            let spot = ParkingSpot()
            guard let thread = try? SystemThread({ spot.park(until: nil) }) else { break }
            started.append((thread, spot))
        }
        for (_, spot) in started { spot.unpark() }
        for (thread, _) in started { thread.join() }
        return started.count
    }
}
