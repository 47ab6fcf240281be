/// How many threads the system lets this process start: RLIMIT_NPROC and the `pids` limit of a
/// control group refuse them without notice, and Swift's own pool then waits for ever.
package enum ThreadAllowance {
    /// Starts threads and ends them again, which takes about 20 µs for each.
    ///
    /// - Returns: the number of threads that can exist at once in addition to those that do, up to
    ///   `most`. Other processes may take them in the meantime.
    package static func threads(upTo most: Int) -> Int {
        // No thread ends before the last has begun.
        let gate = Guarded(())
        let threads = gate.withLock { _ in
            var threads: [SystemThread] = []
            do throws(SystemThread.Refused) {
                while threads.count < most { threads.append(try SystemThread { gate.withLock { _ in } }) }
            } catch {
                // These are all.
            }
            return threads
        }
        for thread in threads { thread.join() }
        return threads.count
    }
}
