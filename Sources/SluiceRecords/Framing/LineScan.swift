import CBytes

/// Cuts the bytes of one buffer into lines, as they arrive.
///
/// Unsafe memory: reads a ``ByteBuffer`` up to its count, and its padding; the kernel writes positions into `feeds`, which holds `room` of them.
final class LineScan {
    /// The whole lines so far.
    private(set) var frames: [Frame] = []
    /// Where the line that has no end yet begins.
    private(set) var lineStart = 0
    private var scanned = 0
    private var feeds = [UInt32](repeating: 0, count: 8 << 10)

    /// Looks at the bytes that have come since.
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
            var (start, line) = (UInt32(lineStart), UInt32(frames.count))
            feeds.withUnsafeBufferPointer { feeds in
                for feed in feeds[..<found] {
                    frames.append(Frame(start: start, count: feed - start, lineDelta: line))
                    start = feed + 1
                    line += 1
                }
            }
            lineStart = Int(start)
        }
        scanned = buffer.count
    }

    /// Takes what stands behind the last line feed for a line.
    func endLine(of buffer: ByteBuffer) {
        guard lineStart < buffer.count else { return }
        frames.append(Frame(start: UInt32(lineStart), count: UInt32(buffer.count - lineStart), lineDelta: UInt32(frames.count)))
        lineStart = buffer.count
    }

    /// The lines so far, the first `count` of them; begins anew.
    func take(_ count: Int) -> [Frame] {
        let taken = count == frames.count ? frames : Array(frames[..<count])
        reset()
        return taken
    }

    func reset() {
        let usual = frames.count
        frames = []
        frames.reserveCapacity(usual + usual / 8)
        (lineStart, scanned) = (0, 0)
    }
}
