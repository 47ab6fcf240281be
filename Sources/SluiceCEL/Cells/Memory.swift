internal import Glibc
internal import Synchronization

/// Memory that may be large, and that the system may refuse. Swift ends a process with a crash
/// then; a command would rather end it with a sentence.
package enum Memory {
    private static let ending = Mutex<(@Sendable (_ bytes: Int?) -> Never)?>(nil)

    /// - Parameter end: ends the process when so many bytes are refused, or a number that is not
    ///   known. Without it, that is a fatal error.
    package static func onRefusal(_ end: @escaping @Sendable (_ bytes: Int?) -> Never) {
        ending.withLock { $0 = end }
    }

    /// To be called when the system, or a library, has no memory.
    ///
    /// - Parameter bytes: how many were asked for, if that is known.
    package static func refused(_ bytes: Int? = nil) -> Never {
        guard let end = ending.withLock({ $0 }) else { fatalError("the system refuses memory: \(bytes.map { "\($0) bytes" } ?? "of a library")") }
        end(bytes)
    }

    /// Uninitialised memory for elements that `malloc` aligns. To be given back with ``free(_:)``.
    package static func allocate<Element: BitwiseCopyable>(_ count: Int, of type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
        precondition(MemoryLayout<Element>.alignment <= 16, "more than malloc aligns")
        let bytes = count * MemoryLayout<Element>.stride
        guard let memory = malloc(max(1, bytes)) else { refused(bytes) }
        return memory.bindMemory(to: Element.self, capacity: count)
    }

    package static func free<Element: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Element>) { Glibc.free(memory) }
}
