/// Loads of 32 bytes from text of which fewer are left.
enum VectorLoad {
    /// Whether the load stays within the memory page of its first byte, and so cannot fail. What it
    /// loads beyond the end must not be used.
    @inline(__always)
    static func isSafe(_ place: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        #if SLUICE_ASAN
            // The address sanitizer knows the bounds of memory, not pages.
            end - place >= 32
        #else
            UInt(bitPattern: place) & 4095 <= 4096 - 32
        #endif
    }
}
