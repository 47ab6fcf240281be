import Testing

/// Time limits of tests, which say that something hangs and not how fast it is: they count the time
/// that a test waits for a thread, too, while others wait for their runs. They are longer under the
/// Thread Sanitizer, which slows every test down about tenfold.
enum Patience {
    #if SLUICE_TSAN
        private static let factor = 20
    #else
        private static let factor = 1
    #endif

    static let hang = minutes(15)

    static func minutes(_ count: Int) -> TimeLimitTrait.Duration { .minutes(count * factor) }
}
