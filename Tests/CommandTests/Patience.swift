import Testing

/// Time limits of tests. They are longer under the Thread Sanitizer, which slows every test down
/// about tenfold.
enum Patience {
    #if SLUICE_TSAN
        private static let factor = 20
    #else
        private static let factor = 1
    #endif

    static func minutes(_ count: Int) -> TimeLimitTrait.Duration { .minutes(count * factor) }
}
