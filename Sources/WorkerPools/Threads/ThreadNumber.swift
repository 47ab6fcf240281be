// Unsafe code: the number is kept in the bits of a thread-local pointer, which is never
// dereferenced.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif
import Synchronization

/// Numbers threads in the order in which they first ask, so that threads that start together get
/// different numbers.
enum ThreadNumber {
    private static let last = Atomic(0)
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let failure = pthread_key_create(&key, nil)
        precondition(failure == 0, "the system has no thread-specific keys left")
        return key
    }()

    static var current: Int {
        if let kept = pthread_getspecific(key) { return Int(bitPattern: kept) - 1 }
        let number = last.wrappingAdd(1, ordering: .relaxed).newValue
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: number))
        return number - 1
    }
}
