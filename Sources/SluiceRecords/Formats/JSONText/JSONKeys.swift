/// Member names, escaped once, with comma and colon: `,"status":`. They share one array, so that
/// writing a key touches no reference count.
struct JSONKeys: Sendable {
    struct Place: BitwiseCopyable, Sendable {
        var start: UInt32
        var count: UInt32
    }

    private var bytes: [UInt8] = []

    mutating func add(_ name: String) -> Place {
        let buffer = ByteBuffer(capacity: name.utf8.count + 4)
        buffer.append(UInt8(ascii: ","))
        JSONText.write(name, to: buffer)
        buffer.append(UInt8(ascii: ":"))
        let place = Place(start: UInt32(bytes.count), count: UInt32(buffer.count))
        withExtendedLifetime(buffer) { bytes += buffer.filled }
        return place
    }

    func withText<Result>(_ body: (Text) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { body(Text(start: $0.baseAddress)) }
    }

    /// Unsafe memory: reads the keys' bytes while ``withText(_:)`` runs, at places that ``add(_:)``
    /// returned.
    struct Text {
        fileprivate let start: UnsafePointer<UInt8>?

        @inline(__always)
        func write(_ key: Place, comma: Bool, to buffer: ByteBuffer) {
            let skipped = comma ? 0 : 1
            guard let start else { return }
            buffer.append(UnsafeBufferPointer(start: start + Int(key.start) + skipped, count: Int(key.count) - skipped))
        }
    }
}
