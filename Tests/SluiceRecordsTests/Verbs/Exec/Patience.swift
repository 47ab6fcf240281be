import Testing

/// How long a test may take before it is given up. Under the Thread Sanitizer all tests take ten
/// times as long.
enum Patience {
    #if SLUICE_TSAN
        private static let factor = 20
    #else
        private static let factor = 1
    #endif

    static let limit = minutes(1)

    static func minutes(_ count: Int) -> TimeLimitTrait.Duration { .minutes(count * factor) }
}
