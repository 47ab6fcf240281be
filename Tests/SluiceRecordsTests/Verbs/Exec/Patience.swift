import Testing

/// How long children may take before a test gives up. Under the Thread Sanitizer all tests take ten
/// times as long.
enum Patience {
    #if SLUICE_TSAN
        static let limit = TimeLimitTrait.Duration.minutes(15)
    #else
        static let limit = TimeLimitTrait.Duration.minutes(1)
    #endif
}
