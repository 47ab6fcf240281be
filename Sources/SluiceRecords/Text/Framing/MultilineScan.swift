/// Cuts the bytes of a buffer into records of one or more lines as they arrive. A record is
/// complete once a line begins that is not part of it.
///
/// Unsafe memory: see ``LineScan``.
final class MultilineScan: RecordScan {
    private let multiline: Multiline
    private(set) var frames: [Frame] = []
    private(set) var recordStart = 0
    private(set) var feedsInRecord = 0
    private(set) var fragmentStart = 0
    /// The number of lines before ``recordStart``.
    private var lines = 0
    let isStateless = true
    private var scanned = 0

    init(_ multiline: Multiline) {
        self.multiline = multiline
    }

    func advance(over buffer: ByteBuffer) {
        while let feed = buffer.firstLineFeed(from: scanned) {
            take(UnsafeBufferPointer(rebasing: buffer.filled[fragmentStart..<feed]))
            feedsInRecord += 1
            (fragmentStart, scanned) = (feed + 1, feed + 1)
        }
        scanned = buffer.count
    }

    /// Takes a line, which begins at ``fragmentStart``.
    private func take(_ line: UnsafeBufferPointer<UInt8>) {
        if fragmentStart > recordStart, multiline.begins(line) { endRecord(at: fragmentStart) }
    }

    /// - Parameter next: the beginning of the next record.
    private func endRecord(at next: Int) {
        frames.append(Frame(start: UInt32(recordStart), count: UInt32(next - 1 - recordStart), lineDelta: UInt32(lines)))
        lines += feedsInRecord
        (recordStart, feedsInRecord) = (next, 0)
    }

    func endRecord(of buffer: ByteBuffer) {
        guard recordStart < buffer.count else { return }
        if fragmentStart < buffer.count {
            take(UnsafeBufferPointer(rebasing: buffer.filled[fragmentStart..<buffer.count]))
            feedsInRecord += 1
            frames.append(Frame(start: UInt32(recordStart), count: UInt32(buffer.count - recordStart), lineDelta: UInt32(lines)))
            lines += feedsInRecord
        } else {
            endRecord(at: buffer.count)
        }
        (recordStart, feedsInRecord, fragmentStart) = (buffer.count, 0, buffer.count)
    }

    func lines(of count: Int) -> Int { count < frames.count ? Int(frames[count].lineDelta) : lines }

    func reset() {
        let usual = frames.count
        frames = []
        frames.reserveCapacity(usual + usual / 8)
        (recordStart, feedsInRecord, fragmentStart, lines, scanned) = (0, 0, 0, 0, 0)
    }
}
