import Glibc

/// Cuts the bytes of a buffer into syslog messages as they arrive: each line is one, unless it
/// begins with the number of its bytes (``OctetCount``). Such a message ends after that many,
/// whatever they are; its record includes the number. A line feed after it is skipped.
///
/// A number that exceeds the size limit of a record is not believed: the line is the record then.
///
/// Unsafe memory: reads a ``ByteBuffer`` up to its count, and its padding.
final class SyslogScan: RecordScan {
    private let maxRecord: Int
    private(set) var frames: [Frame] = []
    private(set) var recordStart = 0
    private(set) var feedsInRecord = 0
    /// The number of lines before ``recordStart``.
    private var lines = 0
    /// The place up to which the incomplete record has no line feed, or the end that its number of
    /// bytes gives it.
    private var scanned = 0
    /// Whether the message before had a number of bytes.
    private var followsCounted = false
    var isStateless: Bool { !followsCounted }

    init(maxRecord: Int) {
        self.maxRecord = maxRecord
    }

    func advance(over buffer: ByteBuffer) {
        let end = UnsafePointer(buffer.start) + buffer.count
        // A local array, so that appending is not checked for exclusive access each time.
        var frames = self.frames
        self.frames = []
        defer { self.frames = frames }
        while recordStart < buffer.count {
            let start = UnsafePointer(buffer.start) + recordStart
            if followsCounted, start.pointee == 0x0A {
                recordStart += 1
                lines += 1
                followsCounted = false
                continue
            }
            // The whole number, and what follows it, is needed to know what it is.
            if end - start < OctetCount.most, Self.mayBeCount(start, end) { return }
            if let counted = OctetCount(start, end), counted.digits + 1 + counted.count <= maxRecord {
                let count = counted.digits + 1 + counted.count
                guard count <= end - start else {
                    feedsInRecord = Self.feeds(start, end)
                    return
                }
                let feeds = Self.feeds(start, start + count)
                frames.append(Frame(start: UInt32(recordStart), count: UInt32(count), lineDelta: UInt32(lines)))
                lines += feeds
                recordStart += count
                (followsCounted, feedsInRecord) = (true, 0)
            } else {
                let from = max(scanned, recordStart)
                guard let feed = buffer.firstLineFeed(from: from) else {
                    scanned = buffer.count
                    return
                }
                frames.append(Frame(start: UInt32(recordStart), count: UInt32(feed - recordStart), lineDelta: UInt32(lines)))
                recordStart = feed + 1
                lines += 1
                (followsCounted, feedsInRecord) = (false, 0)
            }
        }
    }

    /// Whether the text, which ends soon, may be the beginning of a number of bytes.
    private static func mayBeCount(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        guard start.pointee >= UInt8(ascii: "1"), start.pointee <= UInt8(ascii: "9") else { return false }
        let after = min(JSONScan.digits(start, end), end)
        return after == end || (after[0] == 0x20 && after + 1 == end)
    }

    private static func feeds(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
        UnsafeBufferPointer(start: start, count: end - start).count { $0 == 0x0A }
    }

    func endRecord(of buffer: ByteBuffer) {
        guard recordStart < buffer.count else { return }
        frames.append(Frame(start: UInt32(recordStart), count: UInt32(buffer.count - recordStart), lineDelta: UInt32(lines)))
        lines += max(1, feedsInRecord)
        recordStart = buffer.count
        feedsInRecord = 0
    }

    func lines(of count: Int) -> Int { count < frames.count ? Int(frames[count].lineDelta) : lines }

    func take(_ count: Int) -> [Frame] {
        let taken = count == frames.count ? frames : Array(frames[..<count])
        let follows = count == frames.count && followsCounted
        reset()
        followsCounted = follows
        return taken
    }

    func reset() {
        let usual = frames.count
        frames = []
        frames.reserveCapacity(usual + usual / 8)
        (recordStart, feedsInRecord, lines, scanned) = (0, 0, 0, 0)
        followsCounted = false
    }
}
