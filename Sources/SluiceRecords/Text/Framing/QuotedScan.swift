import CBytes

/// Cuts the bytes of a buffer into records of delimited fields. A line feed between quotes does not
/// end a record.
///
/// A quote opens only at the start of a field: `5" disk` is text. A quote that does not close
/// within the size limit of a record is treated as a mistake in its line: the record ends with that
/// line. So it costs one record, whatever follows it. One that is open where the text ends, within
/// the limit, holds all text up to there: whether these are lines of their own is not known.
///
/// Each byte is scanned once, and once more where a quote was given up: nothing between the end of
/// the line and the point of giving up closed a quote, so where a quote opens there, the one beside
/// it closes it.
///
/// What a quote held may be many records once it is given up, so no more are sought than a batch
/// can take. The rest is scanned anew when these were taken, once for each batch.
///
/// Unsafe memory: see ``LineScan``.
final class QuotedScan: RecordScan {
    private let quoting: Quoting
    private let quote: UInt8
    private let escape: UInt8
    private let maxRecord: Int

    private(set) var frames: [Frame] = []
    private(set) var recordStart = 0
    private(set) var feedsInRecord = 0
    let isStateless = true
    /// The number of lines before ``recordStart``.
    private var lines = 0
    private var scanned = 0
    private var open: OpenQuote?
    private var stops = [UInt32](repeating: 0, count: 8 << 10)

    private struct OpenQuote {
        /// Line feeds in the record before the quote.
        var feedsBefore: Int
        /// The position of the first line feed after the quote.
        var firstFeed: Int?
        /// The position of a quote that closes it, unless another quote follows directly.
        var closing: Int?
        /// The position of a byte that has lost its meaning to an escape before it.
        var escaped: Int?
    }

    init(_ quoting: Quoting, _ quote: UInt8, maxRecord: Int) {
        self.quoting = quoting
        self.quote = quote
        self.maxRecord = maxRecord
        escape = quoting.escape
    }

    func advance(over buffer: ByteBuffer) {
        let end = buffer.count
        while scanned < end, frames.count <= BatchReader.mostRecords {
            scanned = scan(buffer, from: scanned, to: end)
            if scanned == end, open != nil, open?.closing == nil, end - recordStart > maxRecord { scanned = giveUpQuote() ?? end }
        }
    }

    /// Scans bytes, as far as `stops` has room.
    /// - Returns: the position to continue at.
    private func scan(_ buffer: ByteBuffer, from start: Int, to end: Int) -> Int {
        var from = UInt32(start)
        var hasQuotes = open != nil
        let found = stops.withUnsafeMutableBufferPointer { stops in
            cbytes_line_ends_and_quotes(
                buffer.start, &from, UInt32(end), quote, escape, &hasQuotes, stops.baseAddress, stops.count)
        }
        guard hasQuotes else {
            takeLines(found)
            return Int(from)
        }
        for index in 0..<found {
            if let restart = take(Int(stops[index]), in: buffer) { return restart }
        }
        return Int(from)
    }

    /// Handles stops that are all line feeds and ends of records.
    private func takeLines(_ count: Int) {
        // A local array, so that appending is not checked for exclusive access each time.
        var frames = self.frames
        self.frames = []
        var (start, line) = (UInt32(recordStart), UInt32(lines))
        var feeds = UInt32(feedsInRecord)
        stops.withUnsafeBufferPointer { stops in
            for feed in stops[..<count] {
                frames.append(Frame(start: start, count: feed - start, lineDelta: line))
                start = feed + 1
                line += 1 + feeds
                feeds = 0
            }
        }
        (recordStart, lines, feedsInRecord) = (Int(start), Int(line), Int(feeds))
        self.frames = frames
    }

    /// - Returns: the position to restart at, if a quote was given up.
    private func take(_ stop: Int, in buffer: ByteBuffer) -> Int? {
        let byte = buffer.start[stop]
        if let closing = open?.closing {
            if byte == quote, stop == closing + 1 {
                open?.closing = nil
                return nil
            }
            open = nil
        }
        if open != nil {
            guard stop - recordStart < maxRecord else { return giveUpQuote() ?? stop }
            takeInQuotes(stop, byte)
        } else if byte == 0x0A {
            endRecord(at: stop, feeds: feedsInRecord)
        } else if byte == quote, stop - recordStart < maxRecord, isFieldStart(stop, in: buffer) {
            open = OpenQuote(feedsBefore: feedsInRecord)
        }
        return nil
    }

    private func takeInQuotes(_ stop: Int, _ byte: UInt8) {
        if byte == 0x0A {
            feedsInRecord += 1
            if open?.firstFeed == nil { open?.firstFeed = stop }
        } else if open?.escaped == stop {
            open?.escaped = nil
        } else if byte == quote {
            open?.closing = stop
        } else {
            open?.escaped = stop + 1
        }
    }

    private func endRecord(at feed: Int, feeds: Int) {
        frames.append(Frame(start: UInt32(recordStart), count: UInt32(feed - recordStart), lineDelta: UInt32(lines)))
        recordStart = feed + 1
        lines += feeds + 1
        feedsInRecord = 0
    }

    /// Gives up the open quote, which is then text.
    /// - Returns: the start of the next record; `nil` if the quote's line has no end yet.
    private func giveUpQuote() -> Int? {
        guard let given = open else { return nil }
        open = nil
        guard let feed = given.firstFeed else { return nil }
        endRecord(at: feed, feeds: given.feedsBefore)
        return recordStart
    }

    private func isFieldStart(_ place: Int, in buffer: ByteBuffer) -> Bool {
        if let comment = quoting.comment, buffer.start[recordStart] == comment { return false }
        var before = place
        if quoting.trimsBlanks {
            while before > recordStart, quoting.isBlank(buffer.start[before - 1]) { before -= 1 }
        }
        return before == recordStart || buffer.start[before - 1] == quoting.separator
    }

    func endRecord(of buffer: ByteBuffer) {
        guard recordStart < buffer.count else { return }
        let isLineEnd = buffer.start[buffer.count - 1] == 0x0A
        endRecord(at: buffer.count, feeds: feedsInRecord - (isLineEnd ? 1 : 0))
        recordStart = buffer.count
    }

    func lines(of count: Int) -> Int { count < frames.count ? Int(frames[count].lineDelta) : lines }

    func reset() {
        let usual = frames.count
        frames = []
        frames.reserveCapacity(usual + usual / 8)
        (recordStart, feedsInRecord, lines, scanned) = (0, 0, 0, 0)
        open = nil
    }
}
