/// What the reader refuses: records over the size limit, and the rest of records that damage has
/// cut. Spilled as it is read so that memory stays bounded.
extension BatchReader {
    /// Returns a batch of one record over the limit, which begins the buffer and is still
    /// incomplete. In text of lines it extends to the end of its line.
    func setAside() throws(InputError) -> Batch {
        if wantsHead { loseHead("is longer than source.max_record allows") }
        let batch = Batch(bytes: ByteBuffer(capacity: 0), input: index, offset: offset, line: line)
        let position = Position(member: members.first, offset: offset, line: line)
        let spill = try SpillFile(folder: configuration.spillFolder, name: spillName(offset: offset))
        line += UInt64(scan.beginPassing())
        // What the buffer already contains belongs to the record.
        var passed = buffer.count
        while true {
            let found = scan.passing(in: buffer, from: passed)
            passed = 0
            try spill.append(UnsafeBufferPointer(rebasing: buffer.filled[..<(found?.end ?? buffer.count)]))
            pass(found?.next ?? buffer.count)
            line += UInt64(found?.lines ?? 0)
            switch event {
            case _ where found != nil, .end:
                batch.spilled = [try spill.finish(beforeFrame: 0, position: position)]
                return batch
            case .damage(let damage, let cutsText):
                try note(damage)
                guard cutsText else { continue }
                return try lose(spill, from: batch)
            case .member where isUnsure && !membersCutRecords && !damage.isEmpty:
                return try lose(spill, from: batch)
            case .member(let member):
                membersCutRecords = true
                begin(member)
            case nil: read(atMost: Batch.targetBytes)
            }
        }
    }

    /// Gives up what was read of a record that damage cut off, and its spill file.
    private func lose(_ spill: SpillFile, from batch: Batch) throws(InputError) -> Batch {
        let met = damage.map(\.damage)
        damage = []
        isUnsure = false
        try end(batch, after: met, lost: spill.byteCount)
        return batch
    }

    /// Refuses the text up to the next line feed, the end, or the next cut: the rest of a record
    /// whose beginning is lost.
    func setAsideFragment(of batch: Batch) throws(InputError) {
        var spill: (file: SpillFile, position: Position)?
        while true {
            let feed = buffer.firstLineFeed()
            let bytes = UnsafeBufferPointer(rebasing: buffer.filled[..<(feed ?? buffer.count)])
            if !bytes.isEmpty {
                if spill == nil {
                    let file = try SpillFile(folder: configuration.spillFolder, name: spillName(offset: offset))
                    spill = (file, Position(member: members.first, offset: offset, line: line))
                }
                try spill?.file.append(bytes)
            }
            pass(feed.map { $0 + 1 } ?? buffer.count)
            if feed != nil { line += 1 }
            switch event {
            case _ where feed != nil, .end, .damage(_, cutsText: true):
                // Where nothing precedes the line feed, no record but only its end was cut off.
                if let spill { batch.spilled.append(try spill.file.finish(.torn, beforeFrame: batch.frames.count, position: spill.position)) }
                return
            case .member(let member): begin(member)
            case .damage(let damage, cutsText: false): try note(damage)
            case nil: read(atMost: Batch.targetBytes)
            }
        }
    }

    /// Spills the frames over the limit. Their bytes stay in the batch, unreferenced.
    func setAsideLongFrames(of batch: Batch) throws(InputError) {
        guard batch.frames.contains(where: { $0.count > maxRecord }) else { return }
        var kept: [Frame] = []
        for frame in batch.frames {
            guard frame.count > maxRecord else {
                kept.append(frame)
                continue
            }
            let start = Int(frame.start)
            let position = Position(
                member: members.member(at: start), offset: batch.offset + UInt64(start), line: batch.line + UInt64(frame.lineDelta))
            let spill = try SpillFile(folder: configuration.spillFolder, name: spillName(offset: position.offset))
            try spill.append(UnsafeBufferPointer(rebasing: batch.bytes.filled[start..<start + Int(frame.count)]))
            batch.spilled.append(try spill.finish(beforeFrame: kept.count, position: position))
        }
        batch.frames = kept
    }

    private func spillName(offset: UInt64) -> String { SpillFile.name(input: index, offset: precedingText + offset) }
}
