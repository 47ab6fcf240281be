import CBytes

/// The flushes in the data of a member: after damage, what follows a full one can be read without
/// what is before it.
///
/// A flush ends on a byte, with ``marker``. The same bytes may stand in data by chance. So the
/// inflater gets no more than a stretch up to their end at a time, and is asked there whether it is
/// between two blocks: then it was a flush, and all before it is passed. If not, it is chance, or
/// the inflater has lost its way before; then the place stays one to go on at.
struct FlushMarks {
    /// The empty stored block of a flush, without its first bits.
    static let marker: [UInt8] = [0, 0, 0xFF, 0xFF]
    /// Compressed bytes for each stop, beyond the first 16: a stop has its price, and a file may be
    /// nothing but markers.
    private static let bytesForStop: UInt64 = 4 << 10
    /// So many flushes at ends of lines, and none elsewhere, are no chance.
    private static let convincing = 3

    private let dataStart: UInt64
    private var stops: UInt64 = 0
    /// The end of a marker that the inflater comes to.
    private var stop: UInt64?
    /// No marker that is not known begins before this place.
    private var scanned: UInt64
    /// The end of the last flush that the inflater has come to.
    private var passed: UInt64
    /// The end of the first marker after it that was not worth a stop.
    private var skipped: UInt64?
    private var flushes = 0
    private var cutLines = false

    /// - Parameter start: where the member's data begins.
    init(from start: UInt64) {
        (dataStart, scanned, passed) = (start, start, start)
    }

    /// Whether a line begins after each flush, as far as is known.
    var areBetweenLines: Bool { flushes >= Self.convincing && !cutLines }

    /// Flushes that begin here or later may be gone on at: what is after them was not read.
    ///
    /// - Parameter met: where damage was met.
    func first(afterDamageAt met: UInt64) -> UInt64 {
        if let skipped, skipped <= met { return met }
        return passed
    }

    /// What the inflater may have next: some of the bytes that are here, or none where it has not
    /// handed out everything before a marker's end.
    mutating func stretch(of window: InputWindow) -> UnsafeBufferPointer<UInt8> {
        while true {
            let (position, bytes) = (window.position, window.available)
            findStop(in: bytes, at: position)
            if let stop { return UnsafeBufferPointer(rebasing: bytes[..<Int(stop - position)]) }
            if scanned > position { return UnsafeBufferPointer(rebasing: bytes[..<Int(scanned - position)]) }
            // A marker may have begun here; more bytes tell.
            if window.look(ahead: bytes.count + 1).count == bytes.count { return bytes }
        }
    }

    private mutating func findStop(in bytes: UnsafeBufferPointer<UInt8>, at position: UInt64) {
        guard let start = bytes.baseAddress else { return }
        while stop == nil {
            let from = Int(max(scanned, position) - position)
            let found = cbytes_find(start + from, bytes.count - from, Self.marker, Self.marker.count)
            guard found >= 0 else {
                scanned = position + UInt64(bytes.count - Self.begunMarker(at: bytes[from...]))
                return
            }
            scanned = position + UInt64(from + found + Self.marker.count)
            if stops < 16 + (scanned - dataStart) / Self.bytesForStop {
                stop = scanned
            } else if skipped == nil {
                skipped = scanned
            }
        }
    }

    /// How many of the last bytes may be the beginning of a marker.
    private static func begunMarker(at bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        (1..<marker.count).last { bytes.count >= $0 && bytes.suffix($0).elementsEqual(marker.prefix($0)) } ?? 0
    }

    /// Whether the inflater has all up to a marker's end.
    func isStop(_ position: UInt64) -> Bool { position == stop }

    /// - Parameters:
    ///   - isFlush: whether the inflater is between two blocks at the stop.
    ///   - last: of the text since the flush before, its last byte.
    mutating func passStop(isFlush: Bool, last: UInt8?) {
        guard let stop else { return }
        self.stop = nil
        stops += 1
        guard isFlush else { return }
        (passed, skipped) = (stop, nil)
        guard let last else { return }
        flushes += 1
        cutLines = cutLines || last != UInt8(ascii: "\n")
    }

    /// Goes on after a flush that was found otherwise.
    mutating func resume(at position: UInt64) {
        (scanned, passed, stop, skipped) = (position, position, nil, nil)
    }
}
