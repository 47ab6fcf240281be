/// Gaps in the text: whether what follows one is a record, or the rest of one that is lost.
extension BatchReader {
    /// Ends a batch at damage that cut the text: `lost` bytes before it are lost, and what follows
    /// it inside a record is refused.
    ///
    /// - Parameter isInside: whether the member before it ended inside a record; `nil` if it is not
    ///   complete.
    func end(_ batch: Batch, after met: [Damage], lost: UInt64, isInside: Bool?) throws(InputError) {
        let isSmall = lost == 0 && met.count == 1 && met[0].kind == .header && met[0].lostBytes < Self.smallestMember
        let followsText = borders.passGap(at: offset, isInside: isInside)
        var met = met
        met[met.count - 1].lostText += lost
        for damage in met { suspects.cut(damage.member) }
        batch.damage = met
        scan.noteGap(isLineStart: !text.goesOnInsideRecord)
        guard !scan.findsRecordsAfterGaps else { return }
        let lostNothing = isSmall && followsText && text.wasCutBetweenMembers
        if text.goesOnInsideRecord || borders.cutRecords || !(lostNothing || goesOnWithRecord()) { try setAsideFragment(of: batch) }
    }

    /// No member of any compression that contains text has fewer bytes.
    private static var smallestMember: UInt64 { 10 }

    /// Whether the text after a gap is known to begin with a record. Reads the first MiB of it into
    /// the buffer to see where the next members begin.
    private func goesOnWithRecord() -> Bool {
        var (isNewMember, isKnown) = (false, borders.separateRecords)
        var border: Int?
        while true {
            switch event {
            case .member(let member):
                if buffer.count > 0 {
                    guard endsWithLineFeed else { return false }
                    border = buffer.count
                    borders.pass(at: offset + UInt64(buffer.count), isInside: false)
                }
                isNewMember = true
                begin(member)
            case .damage(_, cutsText: true) where text.wasCutBetweenMembers && buffer.count > 0: return endsWithLineFeed
            case .damage, .end: return isKnown
            case nil:
                guard buffer.count < Self.mostAfterGap else { return isKnown }
                read(atMost: Self.mostAfterGap - buffer.count)
                // Inside a member, after a flush.
                if buffer.count > 0, !isNewMember { return true }
                if let border, buffer.count > border { isKnown = true }
            }
        }
    }

    /// How much of the text after a gap is looked at, in bytes.
    private static let mostAfterGap = 1 << 20

    private var endsWithLineFeed: Bool { buffer.start[buffer.count - 1] == 0x0A }
}
