/// Cuts the bytes of one buffer into records, as they arrive.
protocol RecordScan: AnyObject {
    /// The whole records so far.
    var frames: [Frame] { get }
    /// Where the record that has no end yet begins.
    var recordStart: Int { get }
    /// Line feeds in that record so far.
    var feedsInRecord: Int { get }

    /// Looks at the bytes that have come since.
    func advance(over buffer: ByteBuffer)

    /// Takes what stands after the last whole record for one.
    func endRecord(of buffer: ByteBuffer)

    /// How many lines the first `count` records and what lies between them take.
    func lines(of count: Int) -> Int

    /// The first `count` of the records; begins anew.
    func take(_ count: Int) -> [Frame]

    func reset()
}

extension Framing {
    func makeScan(maxRecord: Int) -> any RecordScan {
        if case .quoted(let quoting) = self, let quote = quoting.quote { return QuotedScan(quoting, quote, maxRecord: maxRecord) }
        return LineScan()
    }

    /// For formats whose records are lines of fields.
    var quoting: Quoting? {
        guard case .quoted(let quoting) = self else { return nil }
        return quoting
    }
}
