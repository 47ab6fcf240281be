/// The head of a file: the first record that is neither blank nor a comment. It is not counted as a
/// record.
extension BatchReader {
    /// More fields than any program's tables have.
    static let mostFields = 1 << 15

    /// Takes the head once it is complete.
    ///
    /// A head that cannot be read stays among the records, so that it becomes a dead letter, as
    /// does each record after it.
    func takeHead() {
        guard let quoting else { return }
        let frames = scan.frames
        let place = frames.firstIndex { !quoting.isEmpty(text(of: $0)) }
        if let place {
            guard frames[place].count <= maxRecord else { return loseHead("is longer than source.max_record allows") }
            switch FieldNames.count(in: text(of: frames[place]), quoting) {
            case .failure(let fault): return loseHead("cannot be read: \(fault.message)")
            case .success(let count) where count > Self.mostFields:
                return loseHead("has \(count) fields, more than \(Self.mostFields)")
            case .success(let count): mostRecords = Self.mostRecords(ofFields: quoting.fieldCount ?? count)
            }
            head = FileHead(Array(text(of: frames[place])))
            wantsHead = false
        }
        let passed = place.map { $0 + 1 } ?? frames.count
        guard passed > 0 else { return }
        line += UInt64(scan.lines(of: passed))
        pass(passed < frames.count ? Int(frames[passed].start) : scan.recordStart)
        scan.reset()
        scan.advance(over: buffer)
    }

    func loseHead(_ reason: String) {
        head = FileHead([], problem: "the file's header \(reason)")
        wantsHead = false
    }

    private func text(of frame: Frame) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: buffer.filled[Int(frame.start)..<Int(frame.start + frame.count)])
    }

    /// The limit of records in a batch. A record of `count` fields has at least `count` bytes, so
    /// no batch of complete records reaches the limit. It prevents short lines after a long head
    /// from filling memory with absent fields.
    static func mostRecords(ofFields count: Int) -> Int { max(1, Batch.targetBytes / max(1, count)) }
}
