// Unsafe code: `words` hold a value in place or a pointer to one, by the size of its type; `destroy` is set together with the
// value and knows which. Whoever reads names the type that was put, which the generic object around the slot sees to.

/// Room for one value. Not generic: an object that has one comes to its end without asking the runtime for types, which would
/// cost as much as the object does.
@usableFromInline
struct ResultSlot {
    @usableFromInline typealias Words = (UInt, UInt, UInt)

    @usableFromInline var words: Words = (0, 0, 0)
    @usableFromInline var isFull = false
    /// nil where nothing has to be released.
    @usableFromInline var destroy: (@Sendable (UnsafeMutableRawPointer) -> Void)?

    @usableFromInline
    init() {}

    @inlinable
    static func isInPlace<Value>(_: Value.Type) -> Bool {
        MemoryLayout<Value>.size <= MemoryLayout<Words>.size && MemoryLayout<Value>.alignment <= MemoryLayout<Words>.alignment
    }

    /// Takes a value in, in place of the one before.
    @inlinable
    mutating func put<Value>(_ value: Value) {
        empty()
        isFull = true
        withUnsafeMutablePointer(to: &words) { words in
            let start = UnsafeMutableRawPointer(words)
            if Self.isInPlace(Value.self) {
                start.initializeMemory(as: Value.self, to: value)
            } else {
                let box = UnsafeMutablePointer<Value>.allocate(capacity: 1)
                box.initialize(to: value)
                start.storeBytes(of: box, as: UnsafeMutablePointer<Value>.self)
            }
        }
        if !Self.isInPlace(Value.self) {
            destroy = { start in
                let box = start.load(as: UnsafeMutablePointer<Value>.self)
                box.deinitialize(count: 1)
                box.deallocate()
            }
        } else if !_isPOD(Value.self) {
            destroy = { start in start.assumingMemoryBound(to: Value.self).deinitialize(count: 1) }
        }
    }

    /// A copy of the value, which must be there and of this type.
    @inlinable
    mutating func value<Value>(as type: Value.Type) -> Value {
        precondition(isFull, "a job was settled as done before it had a value")
        return withUnsafeMutablePointer(to: &words) { words in
            let start = UnsafeMutableRawPointer(words)
            if Self.isInPlace(type) { return start.assumingMemoryBound(to: type).pointee }
            return start.load(as: UnsafeMutablePointer<Value>.self).pointee
        }
    }

    @inlinable
    mutating func empty() {
        if let destroy { withUnsafeMutablePointer(to: &words) { destroy($0) } }
        destroy = nil
        isFull = false
    }
}
