/// What the reader refuses: records over the size limit, and the rest of records that damage has
/// cut. Spilled as it is read so that memory stays bounded.
extension BatchReader {
    /// Returns a batch of one record over the limit, which begins the buffer and is still
    /// incomplete. In text of lines it extends to the end of its line.
    func setAside() throws(InputError) -> Batch {
        if wantsHead { loseHead("is longer than source.max_record allows") }
        ahead?.pause()
        defer { ahead?.resume() }
        let batch = Batch(bytes: ByteBuffer(capacity: 0), input: index, offset: offset, line: line)
        let position = Position(member: members.first, offset: offset, line: line)
        let spill = try spillFile(offset: offset)
        let begun = UInt64(buffer.count)
        var mark: BombLimit.Extent?
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
                if damage.kind == .bomb {
                    batch.spilled = [try spill.finish(.bomb, beforeFrame: 0, position: position)]
                    let met = takeDamage()
                    try end(batch, after: met, lost: 0, isInside: nil)
                    return batch
                }
                return try lose(spill, from: batch)
            case .member where isUnsure && !borders.cutRecords && !damage.isEmpty:
                return try lose(spill, from: batch)
            case .member(let member):
                borders.cut()
                begin(member)
            case nil: readOn(in: spill, begun: begun, since: &mark)
            }
        }
    }

    /// Reads more of a record that is refused, unless it is a bomb.
    ///
    /// - Parameters:
    ///   - begun: what had been read of it when it was found to be too long.
    ///   - mark: the first one of ``BombLimit``; `nil` before it.
    private func readOn(in spill: SpillFile, begun: UInt64, since mark: inout BombLimit.Extent?) {
        guard let bombs = configuration.bombs else { return read(atMost: Batch.targetBytes) }
        let extent = BombLimit.Extent(text: spill.byteCount, compressed: text.position)
        if bombs.isMark(extent.text, since: begun) {
            if let mark, bombs.isReached(at: extent, since: mark), text.giveUpMember() {
                // There is an event then, but no text.
                return read(atMost: 1)
            }
            if mark == nil { mark = extent }
        }
        read(atMost: min(Batch.targetBytes, bombs.room(after: extent.text)))
    }

    private func takeDamage() -> [Damage] {
        let met = damage.map(\.damage)
        damage = []
        isUnsure = false
        return met
    }

    /// Gives up what was read of a record that damage cut off, and its spill file.
    private func lose(_ spill: SpillFile, from batch: Batch) throws(InputError) -> Batch {
        let isInside: Bool? = text.wasCutBetweenMembers && !isUnsure ? true : nil
        let met = takeDamage()
        suspects.lose(recordAt: batch.offset)
        try end(batch, after: met, lost: spill.byteCount, isInside: isInside)
        return batch
    }

    /// Refuses the text up to the next line feed, the end, or the next cut: the rest of a record
    /// whose beginning is lost.
    func setAsideFragment(of batch: Batch) throws(InputError) {
        var spill: (file: SpillFile, position: Position)?
        ahead?.pause()
        defer { ahead?.resume() }
        let begun = UInt64(buffer.count)
        var mark: BombLimit.Extent?
        while true {
            let feed = buffer.firstLineFeed()
            let bytes = UnsafeBufferPointer(rebasing: buffer.filled[..<(feed ?? buffer.count)])
            if !bytes.isEmpty {
                if spill == nil {
                    let file = try spillFile(offset: offset)
                    spill = (file, Position(member: members.first, offset: offset, line: line))
                }
                try spill?.file.append(bytes)
            }
            pass(feed.map { $0 + 1 } ?? buffer.count)
            if feed != nil { line += 1 }
            if feed == nil, spill != nil { noteBorderInside() }
            switch event {
            case _ where feed != nil, .end, .damage(_, cutsText: true):
                // Where nothing precedes the line feed, no record but only its end was cut off.
                if let spill { batch.spilled.append(try spill.file.finish(.torn, beforeFrame: batch.frames.count, position: spill.position)) }
                return
            case .member(let member): begin(member)
            case .damage(let damage, cutsText: false): try note(damage)
            case nil:
                if let file = spill?.file { readOn(in: file, begun: begun, since: &mark) } else { read(atMost: Batch.targetBytes) }
            }
        }
    }

    /// Notes, inside a record, that its member ends with the buffer, if it does.
    private func noteBorderInside() {
        guard !isUnsure else { return }
        switch event {
        case .member: borders.cut()
        case .damage(_, cutsText: true) where text.wasCutBetweenMembers: borders.cut()
        case .damage, .end, nil: break
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
            let spill = try spillFile(offset: position.offset)
            try spill.append(UnsafeBufferPointer(rebasing: batch.bytes.filled[start..<start + Int(frame.count)]))
            batch.spilled.append(try spill.finish(beforeFrame: kept.count, position: position))
        }
        batch.frames = kept
    }

    private func spillFile(offset: UInt64) throws(InputError) -> SpillFile {
        try SpillFile(
            folder: configuration.spillFolder, isScratch: configuration.spillsInScratch,
            name: SpillFile.name(input: index, offset: precedingText + offset), most: configuration.mostRaw)
    }
}
