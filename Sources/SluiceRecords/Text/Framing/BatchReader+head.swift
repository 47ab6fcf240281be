/// The head of a file: the first record that is neither blank nor a comment. It is not counted as a
/// record.
extension BatchReader {
    /// More fields than any program's tables have.
    static let mostFields = 1 << 15

    /// Takes the head once it is complete, or passes the lines before it that were found.
    ///
    /// A head that cannot be read stays among the records, so that it becomes a dead letter, as
    /// does each record after it.
    func takeHead() {
        guard let quoting else { return }
        let frames = scan.frames
        let place = frames.firstIndex { !quoting.isEmpty(text(of: $0)) }
        if let place {
            guard frames[place].count <= maxRecord else { return loseHead("is longer than source.max_record allows", after: place) }
            if quoting.hasDirectives, LogDirectives.areBegun(by: text(of: frames[place])) {
                directives = LogDirectives()
                wantsHead = false
                return pass(frames: place)
            }
            switch FieldNames.count(in: text(of: frames[place]), quoting) {
            case .failure(let fault): return loseHead("cannot be read: \(fault.message)", after: place)
            case .success(let count) where count > Self.mostFields:
                return loseHead("has \(count) fields, more than \(Self.mostFields)", after: place)
            case .success(let count): mostRecords = min(configuration.mostRecords, Self.mostRecords(ofFields: quoting.fieldCount ?? count))
            }
            head = FileHead(Array(text(of: frames[place])))
            wantsHead = false
        }
        let passed = place.map { $0 + 1 } ?? frames.count
        pass(frames: passed)
    }

    /// Removes the first frames.
    private func pass(frames count: Int) {
        guard count > 0 else { return }
        line += UInt64(scan.lines(of: count))
        pass(count < scan.frames.count ? Int(scan.frames[count].start) : scan.recordStart)
        scan.reset()
        scan.advance(over: buffer)
    }

    /// - Parameter frames: the number of blank and comment lines before the head.
    func loseHead(_ reason: String, after frames: Int = 0) {
        pass(frames: frames)
        head = FileHead([], problem: "the file's header \(reason)")
        wantsHead = false
    }

    private func text(of frame: Frame) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: buffer.filled[Int(frame.start)..<Int(frame.start + frame.count)])
    }

    /// The limit of records in a batch: what is held of each, and its dead letter, may be much
    /// larger than the record.
    static let mostRecords = 1 << 15

    /// The limit for records with fields that are known. A record of `count` fields has at least
    /// `count` bytes, so complete records do not reach it. It prevents short lines after a long
    /// head from filling memory with absent fields.
    static func mostRecords(ofFields count: Int) -> Int { min(mostRecords, max(1, Batch.targetBytes / max(1, count))) }
}

/// The `#` lines of logs, which are not counted as records. One that changes how records are read
/// ends the batch before it.
extension BatchReader {
    /// Takes the `#` lines that begin the buffer, and searches for the next one that changes the
    /// head.
    func takeDirectives() {
        guard var directives else { return }
        let frames = scan.frames
        let first = frames.firstIndex { !isDirective($0) } ?? frames.count
        if isDirectiveTorn { directives.lose() }
        for frame in frames[..<first] { directives.take(text(of: frame)) }
        if first > 0 || isDirectiveTorn {
            begin(directives)
            pass(frames: first)
        }
        isDirectiveTorn = false
        if nextDirective == nil { searchForChange(of: directives, in: scan.frames) }
    }

    private func searchForChange(of directives: LogDirectives, in frames: [Frame]) {
        let unsearched = searchedFrames..<max(searchedFrames, frames.count)
        searchedFrames = unsearched.upperBound
        let start = buffer.start
        for index in unsearched where start[Int(frames[index].start)] == LogDirectives.mark && isDirective(frames[index]) {
            let line = text(of: frames[index])
            guard LogDirectives.mayMatter(line) else { continue }
            var changed = directives
            changed.take(line)
            guard changed == directives else { return nextDirective = index }
        }
    }

    private func begin(_ directives: LogDirectives) {
        self.directives = directives
        (nextDirective, searchedFrames) = (nil, 0)
        guard directives != head?.directives else { return }
        head = FileHead([], directives: directives, problem: directives.problem)
        mostRecords = min(configuration.mostRecords, Self.mostRecords(ofFields: max(quoting?.fieldCount ?? 0, directives.names?.count ?? 0)))
    }

    func leaveOutDirectives(of batch: Batch) {
        (nextDirective, searchedFrames) = (nil, 0)
        let start = batch.bytes.start
        batch.frames.removeAll { $0.count > 0 && $0.count <= maxRecord && start[Int($0.start)] == LogDirectives.mark }
    }

    /// A line over the size limit is a record, like any other.
    private func isDirective(_ frame: Frame) -> Bool {
        frame.count > 0 && frame.count <= maxRecord && buffer.start[Int(frame.start)] == LogDirectives.mark
    }
}
