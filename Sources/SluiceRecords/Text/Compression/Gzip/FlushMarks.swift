import CBytes

/// Tracks the flushes in a member's data. After damage, the data after a full flush can be read
/// without what is before it.
///
/// A flush ends on a byte boundary, with ``marker``. The same bytes may also occur in data by
/// chance. So the inflater is fed only up to the end of the next marker and asked whether it is
/// between two blocks. If so, the marker is a flush, and everything before it has been read. If
/// not, the marker is chance, or the inflater lost its way earlier; the place then remains a
/// candidate for resuming.
struct FlushMarks: Codable, Sendable, Equatable {
    /// The empty stored block of a flush, without its first bits.
    static let marker: [UInt8] = [0, 0, 0xFF, 0xFF]
    /// One stop is allowed per this many compressed bytes, beyond the first 16: stops are
    /// expensive, and a file may consist of markers.
    private static let bytesForStop: UInt64 = 4 << 10
    /// If this many flushes are at ends of lines, and none elsewhere, it is not chance.
    private static let convincing = 3

    private let dataStart: UInt64
    private var stops: UInt64 = 0
    /// The end of the next marker, where the inflater stops.
    private var stop: UInt64?
    /// The position up to which markers were searched for.
    private var scanned: UInt64
    /// The end of the last flush that the inflater has reached.
    private var passed: UInt64
    /// The end of the first marker after `passed` that no stop was spent on.
    private var skipped: UInt64?
    private var flushes = 0
    private var cutLines = false

    /// - Parameter start: the position where the member's data begins.
    init(from start: UInt64) {
        (dataStart, scanned, passed) = (start, start, start)
    }

    /// Whether the marks can be those at a position; not in a state file that was changed.
    func isSound(at position: UInt64) -> Bool { dataStart <= position && passed <= position && stop.map { $0 >= position } ?? true }

    /// Whether, as far as is known, each flush is followed by the beginning of a line.
    var areBetweenLines: Bool { flushes >= Self.convincing && !cutLines }

    /// The first position of a flush at which reading may resume: data after it was not read.
    ///
    /// - Parameter met: the position where the damage was detected.
    func first(afterDamageAt met: UInt64) -> UInt64 {
        if let skipped, skipped <= met { return met }
        return passed
    }

    /// The next input for the inflater: some of the available bytes, or none if the inflater is at
    /// the end of a marker and has not yet returned all text before it.
    mutating func stretch(of window: InputWindow) -> UnsafeBufferPointer<UInt8> {
        while true {
            let (position, bytes) = (window.position, window.available)
            findStop(in: bytes, at: position)
            if let stop { return UnsafeBufferPointer(rebasing: bytes[..<Int(stop - position)]) }
            if scanned > position { return UnsafeBufferPointer(rebasing: bytes[..<Int(scanned - position)]) }
            // A marker may begin in the last bytes; more bytes will tell.
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
            if mayStop(at: scanned) {
                stop = scanned
            } else if skipped == nil {
                skipped = scanned
            }
        }
    }

    /// The number of last bytes that may be the beginning of a marker.
    private static func begunMarker(at bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        (1..<marker.count).last { bytes.count >= $0 && bytes.suffix($0).elementsEqual(marker.prefix($0)) } ?? 0
    }

    /// Whether the inflater has consumed everything up to the end of a marker.
    func isStop(_ position: UInt64) -> Bool { position == stop }

    /// - Parameters:
    ///   - isFlush: whether the inflater is between two blocks at the stop.
    ///   - last: the last byte of the text since the previous flush.
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

    /// Passes what lies between two flushes without stopping inside it, as
    /// ``stretch(of:)`` and ``passStop(isFlush:last:)`` would.
    ///
    /// - Parameters:
    ///   - end: the end of the first marker after the flush that was passed last.
    ///   - last: the last byte of the text.
    /// - Returns: false, having changed nothing, if no stop may be spent on that marker.
    mutating func pass(to end: UInt64, last: UInt8?) -> Bool {
        guard stop == nil, scanned == passed, mayStop(at: end) else { return false }
        (scanned, stop) = (end, end)
        passStop(isFlush: true, last: last)
        return true
    }

    private func mayStop(at end: UInt64) -> Bool { stops < 16 + (end - dataStart) / Self.bytesForStop }

    /// Continues after a flush that the salvage search has found.
    mutating func resume(at position: UInt64) {
        (scanned, passed, stop, skipped) = (position, position, nil, nil)
    }
}
