/// Cuts the bytes of a buffer into records as they arrive.
protocol RecordScan: AnyObject {
    /// The complete records so far.
    var frames: [Frame] { get }
    /// The start of the incomplete record.
    var recordStart: Int { get }
    /// The start of the incomplete line, or of the incomplete record if records end otherwise.
    var fragmentStart: Int { get }
    /// The number of line feeds in the incomplete record.
    var feedsInRecord: Int { get }

    /// Scans the bytes that were added since the last call. If there are more records than a batch
    /// may have, some are found only after these were taken.
    func advance(over buffer: ByteBuffer)

    /// Completes the record after the last one, at the end of the text.
    func endRecord(of buffer: ByteBuffer)

    /// The number of lines from the buffer's start up to record `count`.
    func lines(of count: Int) -> Int

    /// Returns the first `count` records and resets the scan.
    func take(_ count: Int) -> [Frame]

    func reset()

    /// Gives up what precedes the first record, or the incomplete one, where that is none. The
    /// caller removes it from the buffer.
    /// - Returns: the number of bytes, and of lines in them.
    func dropIdle() -> (bytes: Int, lines: Int)

    /// What is wrong with the first `count` records.
    func faults(of count: Int) -> [FramingFault]

    /// Whether a record has line feeds that mean nothing.
    var spansLines: Bool { get }

    /// Begins to pass over the incomplete record, which begins the buffer and is over the size
    /// limit.
    /// - Returns: the number of lines passed.
    func beginPassing() -> Int

    /// Passes over more of that record.
    ///
    /// - Parameter start: the position up to which the buffer was scanned.
    /// - Returns: its end, the start of what follows, and the number of lines passed; `nil` if all
    ///   of the buffer belongs to it.
    func passing(in buffer: ByteBuffer, from start: Int) -> (end: Int, next: Int, lines: Int)?

    /// Whether records are recognized after a gap in the text. Otherwise they begin at its next
    /// line.
    var findsRecordsAfterGaps: Bool { get }

    /// Whether, once records were taken, the text after them is divided as one that begins there.
    var isStateless: Bool { get }

    /// Notes that text is missing before the next bytes.
    ///
    /// - Parameter isLineStart: whether these may begin a record.
    func noteGap(isLineStart: Bool)
}

extension RecordScan {
    func take(_ count: Int) -> [Frame] {
        let taken = count == frames.count ? frames : Array(frames[..<count])
        reset()
        return taken
    }

    func dropIdle() -> (bytes: Int, lines: Int) { (0, 0) }
    func faults(of count: Int) -> [FramingFault] { [] }
    var spansLines: Bool { false }

    func beginPassing() -> Int {
        let lines = feedsInRecord + 1
        reset()
        return lines
    }

    func passing(in buffer: ByteBuffer, from start: Int) -> (end: Int, next: Int, lines: Int)? {
        buffer.firstLineFeed(from: start).map { ($0, $0 + 1, 0) }
    }

    var findsRecordsAfterGaps: Bool { false }
    func noteGap(isLineStart: Bool) {}
}

extension RecordScan {
    var fragmentStart: Int { recordStart }
}

extension Framing {
    func makeScan(maxRecord: Int) -> any RecordScan {
        switch self {
        case .lines: return LineScan()
        case .quoted(let quoting):
            guard let quote = quoting.quote else { return LineScan() }
            return QuotedScan(quoting, quote, maxRecord: maxRecord)
        case .documents(let path): return DocumentScan(path: path.map { Array($0.utf8) }, maxRecord: maxRecord)
        case .syslog: return SyslogScan(maxRecord: maxRecord)
        case .multiline(let multiline): return MultilineScan(multiline)
        }
    }

    /// A text that was cut after a line feed, without the record in whose quotes that was. The
    /// whole text if it was between records, or if there is no other record.
    func uncut(_ text: [UInt8]) -> [UInt8] {
        guard case .quoted = self, text.last == 0x0A else { return text }
        let buffer = ByteBuffer(capacity: text.count)
        text.withUnsafeBufferPointer { buffer.append($0) }
        let scan = makeScan(maxRecord: text.count)
        scan.advance(over: buffer)
        // Of more records, the scan has not seen the end.
        guard scan.frames.count <= BatchReader.mostRecords, scan.recordStart > 0 else { return text }
        return Array(text[..<scan.recordStart])
    }

    /// The syntax of fields, if records are delimited text.
    var quoting: Quoting? {
        guard case .quoted(let quoting) = self else { return nil }
        return quoting
    }
}
