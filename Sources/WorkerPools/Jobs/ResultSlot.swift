// Unsafe code: `words` hold a value inline or a pointer to one, depending on the size of its type.
// The generic object around the slot ensures that it is read and emptied with the type that was
// stored.

/// Storage for one value. Not generic, so that an object with one can be deinitialised without
/// looking up type metadata, which would cost as much as the object does. A slot whose value must
/// be released is emptied before that.
@usableFromInline
struct ResultSlot {
    @usableFromInline typealias Words = (UInt, UInt)

    /// Stored by the slot's owner, which has a byte to spare.
    @usableFromInline
    enum Content: UInt8 {
        case nothing
        case plainValue
        /// A value that must be released: the slot has to be emptied before it goes away.
        case ownedValue
    }

    @usableFromInline var words: Words = (0, 0)

    @usableFromInline
    init() {}

    @inlinable
    static func isInPlace<Value>(_: Value.Type) -> Bool {
        MemoryLayout<Value>.size <= MemoryLayout<Words>.size && MemoryLayout<Value>.alignment <= MemoryLayout<Words>.alignment
    }

    /// Stores a value, replacing the one before.
    @inlinable
    mutating func put<Value>(_ value: Value, _ content: inout Content) {
        empty(of: Value.self, &content)
        content = Self.isInPlace(Value.self) && _isPOD(Value.self) ? .plainValue : .ownedValue
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
    }

    /// A copy of the value, which must be present and of this type.
    @inlinable
    mutating func value<Value>(as type: Value.Type, _ content: Content) -> Value {
        precondition(content != .nothing, "a job was settled as done before it had a value")
        return withUnsafeMutablePointer(to: &words) { words in
            let start = UnsafeMutableRawPointer(words)
            if Self.isInPlace(type) { return start.assumingMemoryBound(to: type).pointee }
            return start.load(as: UnsafeMutablePointer<Value>.self).pointee
        }
    }

    @inlinable
    mutating func empty<Value>(of type: Value.Type, _ content: inout Content) {
        defer { content = .nothing }
        guard content == .ownedValue else { return }
        withUnsafeMutablePointer(to: &words) { words in
            let start = UnsafeMutableRawPointer(words)
            if Self.isInPlace(type) {
                start.assumingMemoryBound(to: type).deinitialize(count: 1)
            } else {
                let box = start.load(as: UnsafeMutablePointer<Value>.self)
                box.deinitialize(count: 1)
                box.deallocate()
            }
        }
    }
}
