/// Cuts the bytes of a buffer into records as they arrive.
protocol RecordScan: AnyObject {
    /// The complete records so far.
    var frames: [Frame] { get }
    /// The start of the incomplete record.
    var recordStart: Int { get }
    /// The number of line feeds in the incomplete record.
    var feedsInRecord: Int { get }

    /// Scans the bytes that were added since the last call.
    func advance(over buffer: ByteBuffer)

    /// Completes the record after the last one, at the end of the text.
    func endRecord(of buffer: ByteBuffer)

    /// The number of lines from the buffer's start up to record `count`.
    func lines(of count: Int) -> Int

    /// Returns the first `count` records and resets the scan.
    func take(_ count: Int) -> [Frame]

    func reset()
}

extension Framing {
    func makeScan(maxRecord: Int) -> any RecordScan {
        if case .quoted(let quoting) = self, let quote = quoting.quote { return QuotedScan(quoting, quote, maxRecord: maxRecord) }
        return LineScan()
    }

    /// The syntax of fields, if records are delimited text.
    var quoting: Quoting? {
        guard case .quoted(let quoting) = self else { return nil }
        return quoting
    }
}
