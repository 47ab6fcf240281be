import Glibc

/// User CPU time of this thread in nanoseconds: less affected by a busy machine than wall-clock
/// time.
func threadNanoseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// The best of `rounds`, in nanoseconds per item, and what the last round returned.
func best(of rounds: Int = 9, items: Int, _ body: () -> Int) -> (nanoseconds: Double, result: Int) {
    var least = Double.infinity
    var result = 0
    for _ in 0..<rounds {
        let start = threadNanoseconds()
        result = body()
        least = min(least, threadNanoseconds() - start)
    }
    return (least / Double(items), result)
}

func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

func oneDecimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}
