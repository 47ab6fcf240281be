// Unsafe code: the number is kept in the bits of a thread-local pointer, which is never
// dereferenced.

import Synchronization

/// Numbers threads in the order in which they first ask, so that threads that start together get
/// different numbers.
enum ThreadNumber {
    private static let last = Atomic(0)
    private static let kept = ThreadLocalPointer()

    static var current: Int {
        if let kept = kept.current { return Int(bitPattern: kept) - 1 }
        let number = last.wrappingAdd(1, ordering: .relaxed).newValue
        kept.set(UnsafeRawPointer(bitPattern: number))
        return number - 1
    }
}
