import CBytes

/// Cuts the bytes of a buffer into lines as they arrive.
///
/// Unsafe memory: reads a ``ByteBuffer`` up to its count, and its padding; the C kernel writes at
/// most `feeds.count` positions into `feeds`.
final class LineScan: RecordScan {
    private(set) var frames: [Frame] = []
    private(set) var recordStart = 0
    let feedsInRecord = 0
    let isStateless = true
    private var scanned = 0
    private var feeds = [UInt32](repeating: 0, count: 8 << 10)

    func advance(over buffer: ByteBuffer) {
        var from = UInt32(scanned)
        let end = UInt32(buffer.count)
        // A local array, so that appending is not checked for exclusive access each time.
        var frames = self.frames
        self.frames = []
        defer { self.frames = frames }
        while from < end {
            let found = feeds.withUnsafeMutableBufferPointer { feeds in
                cbytes_line_feeds(buffer.start, &from, end, feeds.baseAddress, feeds.count)
            }
            var (start, line) = (UInt32(recordStart), UInt32(frames.count))
            feeds.withUnsafeBufferPointer { feeds in
                for feed in feeds[..<found] {
                    frames.append(Frame(start: start, count: feed - start, lineDelta: line))
                    start = feed + 1
                    line += 1
                }
            }
            recordStart = Int(start)
        }
        scanned = buffer.count
    }

    func endRecord(of buffer: ByteBuffer) {
        guard recordStart < buffer.count else { return }
        frames.append(Frame(start: UInt32(recordStart), count: UInt32(buffer.count - recordStart), lineDelta: UInt32(frames.count)))
        recordStart = buffer.count
    }

    func lines(of count: Int) -> Int { count }

    func reset() {
        let usual = frames.count
        frames = []
        frames.reserveCapacity(usual + usual / 8)
        (recordStart, scanned) = (0, 0)
    }
}
