import Foundation

@testable import SluiceRecords

/// A text, and what must have become of its bytes: each came out in a record, was set aside, is on
/// record as lost, or is what separates records.
struct TextAccount {
    private(set) var text: [UInt8] = []
    private(set) var damage: [Damage] = []
    /// The places of events in the text.
    private var events: [Int] = []

    /// - Parameter source: read from its beginning to its end.
    init(of source: any TextSource) {
        let buffer = ByteBuffer(capacity: 64 << 10)
        while true {
            let step = source.read(into: buffer.start, room: buffer.capacity)
            text += UnsafeBufferPointer(start: buffer.start, count: step.count)
            switch step.event {
            case .end: return
            case .damage(let met, _):
                damage.append(met)
                events.append(text.count)
            case .member: events.append(text.count)
            case nil: break
            }
        }
    }

    /// Joins what was read of the text, which must give it back.
    ///
    /// - Parameter isArchived: whether it is a file of an archive that is not compressed. What is
    ///   damaged is then the archive.
    func check(_ found: ReadInput, _ framing: Framing, isArchived: Bool = false) {
        let losses = isArchived ? found.damage.compactMap { $0.loss(of: $0.damage.reduce(0) { $0 + Int($1.lostText) }) } : losses(of: found)
        var (place, follows) = (0, false)
        for piece in (found.pieces + losses).sorted(by: { ($0.place, $0.end) < ($1.place, $1.end) }) {
            require(piece.place >= place && piece.end <= text.count, "a piece at \(piece.place) that is not after \(place), or after \(text.count)")
            if let bytes = piece.bytes { require(text[piece.place..<piece.end].elementsEqual(bytes), "a piece at \(piece.place) that is not the text's") }
            checkGap(place..<piece.place, afterRecord: follows, framing, found.heads)
            (place, follows) = (piece.end, piece.bytes != nil)
        }
        checkGap(place..<text.count, afterRecord: follows, framing, found.heads)
    }

    /// The pieces that the reader has noted as lost, beyond what the source of the text knew of.
    private func losses(of found: ReadInput) -> [ReadInput.Piece] {
        var known = damage[...]
        var losses: [ReadInput.Piece] = []
        for noted in found.damage {
            var lost = 0
            for damage in noted.damage {
                var source = known.popFirst()
                let before = source?.lostText ?? 0
                source?.lostText = damage.lostText
                require(source == damage && damage.lostText >= before, "damage that is not the text's: \(damage)")
                lost += Int(damage.lostText - before)
            }
            if let loss = noted.loss(of: lost) { losses.append(loss) }
        }
        require(known.isEmpty, "damage that is on no record: \(known)")
        return losses
    }

    /// What stands between two pieces must be no record's.
    private func checkGap(_ range: Range<Int>, afterRecord follows: Bool, _ framing: Framing, _ heads: [[UInt8]]) {
        var gap = text[range]
        if range.lowerBound == 0, gap.starts(with: [0xEF, 0xBB, 0xBF]) { gap = gap.dropFirst(3) }
        let isKnown: Bool
        switch framing {
        case .documents(let path): isKnown = !path.isEmpty || gap.allSatisfy { Array("[]},\u{20}\t\r\n".utf8).contains($0) }
        case .quoted(let quoting) where quoting.hasHead:
            if follows, gap.first == 0x0A { gap = gap.dropFirst() }
            isKnown = Self.isHead(gap, quoting, heads)
        case .lines, .quoted, .syslog, .multiline:
            let feeds = 1 + events.count { range.lowerBound <= $0 && $0 <= range.upperBound }
            isKnown = gap.count <= feeds && gap.allSatisfy { $0 == 0x0A }
        }
        require(isKnown, "text at \(range) that is nowhere: \(String(decoding: gap, as: UTF8.self))")
    }

    /// Whether the lines are heads, or such as may stand between them.
    private static func isHead(_ lines: ArraySlice<UInt8>, _ quoting: Quoting, _ heads: [[UInt8]]) -> Bool {
        var rest = lines
        while !rest.isEmpty {
            let head = heads.first { rest.starts(with: $0) && (rest.count == $0.count || rest.dropFirst($0.count).first == 0x0A) }
            let line = rest.prefix(head?.count ?? rest.prefix { $0 != 0x0A }.count)
            let isEmpty = line.withUnsafeBufferPointer { quoting.isEmpty($0) }
            guard head != nil || isEmpty || (quoting.hasDirectives && line.first == LogDirectives.mark) else { return false }
            rest = rest.dropFirst(line.count + 1)
        }
        return true
    }
}
