/// The text of all members of a gzip input, each checked; goes on behind damage at the next member.
///
/// What is damage, and where (`offset`) it is met:
/// - `header`: a member's header cannot be read (its first byte), its own CRC is wrong (the same; the member is read nevertheless if its data is
///   sound), or bytes lie between two members (their first).
/// - `corrupt`: the deflate data makes no sense (where the inflater noticed, which may be some bytes behind the cause).
/// - `truncated`: the input ends inside a member (the input's size).
/// - `crc`, `length`: the text was read to its end but is not what was written (the trailer's field). One of them a member, `crc` before `length`.
/// - `trailing-garbage`: bytes that are not zero lie behind the last member (the first byte behind it).
/// - `read-error`: the input could not be read on.
///
/// Members are numbered as they begin; one whose header is damaged counts. The libraries differ by a few bytes in how far they go where data is
/// corrupt, and ISA-L may keep back the last two bytes before a cut; each is the same in every run, and neither is silent.
final class GzipText: TextSource {
    private enum Place {
        case header, body, trailer, between, finished
    }

    private let window: InputWindow
    private let library: DeflateLibrary
    private let inflater: any Inflater
    private lazy var search = MemberSearch(library: library)
    private let size: UInt64?
    private let most: Int

    private var place = Place.header
    private var member = 0
    private var memberStart: UInt64 = 0
    private var memberSize: UInt64?
    private var crc: UInt32 = 0
    private var count: UInt32 = 0
    /// The last member's text was not what its trailer says.
    private var isSuspect = false
    /// Events that wait their turn, the next one last.
    private var waiting: [TextEvent] = []

    /// - Parameters:
    ///   - size: compressed bytes of the whole input, where known.
    ///   - most: bytes inflated at a time, so that they are still in the cache when their CRC is taken.
    init(window: InputWindow, library: DeflateLibrary, size: UInt64?, most: Int = 256 << 10) {
        self.window = window
        self.library = library
        self.size = size
        self.most = most
        inflater = library.makeInflater()
    }

    var position: UInt64 { window.position }
    /// Members whose header was met.
    private(set) var members = 0

    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        while true {
            if let event = waiting.popLast() { return TextRead(count: 0, event: event) }
            switch place {
            case .header: beginMember()
            case .body:
                let produced = inflate(into: UnsafeMutableBufferPointer(start: output, count: min(room, most)))
                if produced > 0 { return TextRead(count: produced, event: nil) }
            case .trailer: endMember()
            case .between: goToNextMember()
            case .finished: return TextRead(count: 0, event: .end)
            }
        }
    }

    private func inflate(into output: UnsafeMutableBufferPointer<UInt8>) -> Int {
        guard window.fill() else {
            // The library may still hold text of bytes that it has taken.
            let step = inflater.inflate(UnsafeBufferPointer(start: nil, count: 0), into: output)
            window.advance(by: step.consumed)
            take(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(output)[..<step.produced]))
            switch step.state {
            case .ended: place = .trailer
            case .corrupt where step.produced < output.count: skipToNextMember()
            case .needsInput where step.produced == 0: finishEarly()
            case .outputFull where step.produced == 0: finishEarly()
            default: break
            }
            return step.produced
        }
        let input = window.available
        let step = inflater.inflate(input, into: output)
        window.advance(by: step.consumed)
        take(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(output)[..<step.produced]))
        switch step.state {
        case .ended: place = .trailer
        case .corrupt where step.produced < output.count: skipToNextMember()
        case .needsInput where step.produced == 0 && step.consumed == 0: skipToNextMember()
        default: break
        }
        return step.produced
    }

    private func take(_ text: UnsafeBufferPointer<UInt8>) {
        crc = inflater.checksum(crc, of: text)
        count &+= UInt32(truncatingIfNeeded: text.count)
    }

    private func beginMember() {
        memberStart = window.position
        var bytes = window.look(ahead: 1 << 10)
        var outcome = MemberHeader.parse(bytes) { inflater.checksum(0, of: $0) }
        while case .incomplete = outcome, bytes.count < InputWindow.ahead, !window.isComplete {
            bytes = window.look(ahead: bytes.count * 2)
            outcome = MemberHeader.parse(bytes) { inflater.checksum(0, of: $0) }
        }
        members += 1
        switch outcome {
        case .header(let header) where header.isIntact || search.confirm(in: window, at: memberStart):
            window.advance(by: header.count)
            memberSize = header.memberSize
            inflater.reset()
            (crc, count) = (0, 0)
            (place, isSuspect) = (.body, false)
            waiting.append(.member(member))
            if !header.isIntact { note(.header, at: memberStart, lost: 0, cutsText: false) }
        case .incomplete where window.isComplete && !search.find(in: window, from: memberStart + 1):
            finishEarly()
        case .incomplete, .header, .invalid:
            passGap(from: memberStart, searchFrom: memberStart + 1, isMember: true)
        }
    }

    private func endMember() {
        let bytes = window.look(ahead: MemberTrailer.count)
        guard let trailer = MemberTrailer(bytes[...]) else {
            window.advance(by: bytes.count)
            // The text is whole, its check is not.
            finishEarly(cutsText: false)
            return
        }
        if trailer.crc != crc {
            note(.crc, at: window.position, lost: 0, cutsText: false)
        } else if trailer.count != count {
            note(.length, at: window.position + 4, lost: 0, cutsText: false)
        }
        isSuspect = trailer != MemberTrailer(crc: crc, count: count)
        window.advance(by: MemberTrailer.count)
        member += 1
        place = .between
    }

    private func goToNextMember() {
        let start = window.position
        while window.fill() {
            let zeros = window.available.prefix { $0 == 0 }.count
            window.advance(by: zeros)
            if !window.available.isEmpty { break }
        }
        guard window.fill() else {
            if window.failure != nil { finishEarly() } else { place = .finished }
            return
        }
        let bytes = window.look(ahead: 2)
        let looksLikeMember = zip(bytes, MemberHeader.magic.prefix(2)).allSatisfy(==)
        if window.position == start, looksLikeMember {
            place = .header
        } else {
            // What was taken for data may have run on into the next member.
            passGap(from: start, searchFrom: isSuspect ? memberStart + 1 : window.position, isMember: false)
        }
    }

    /// Behind corrupt data: where the header told the member's size, there, otherwise the next that the search finds.
    private func skipToNextMember() {
        let met = window.position
        let isFound =
            memberSize.map { search.confirm(in: window, at: memberStart + $0) } == true
            || search.find(in: window, from: memberStart + 1)
        let lost = window.position > met ? window.position - met : 0
        let damage = Damage(kind: .corrupt, offset: met, member: member, lostBytes: lost, lostText: 0)
        leave(isFound: isFound, with: damage, cutsText: true)
    }

    /// Over bytes that are no member.
    private func passGap(from start: UInt64, searchFrom first: UInt64, isMember: Bool) {
        let isFound = search.find(in: window, from: first)
        let kind: Damage.Kind = isMember || isFound ? .header : .trailingGarbage
        let lost = window.position > start ? window.position - start : 0
        let damage = Damage(kind: kind, offset: start, member: member, lostBytes: lost, lostText: 0)
        leave(isFound: isFound, with: damage, cutsText: kind == .header)
    }

    private func leave(isFound: Bool, with damage: Damage, cutsText: Bool) {
        if !isFound, window.failure != nil {
            waiting.append(.damage(.readError(at: window.position, size: size, member: member), cutsText: true))
        }
        waiting.append(.damage(damage, cutsText: cutsText))
        member += 1
        place = isFound ? .header : .finished
    }

    /// The input has ended where it should not, or could not be read on.
    private func finishEarly(cutsText: Bool = true) {
        if window.failure == nil {
            note(.truncated, at: window.position, lost: 0, cutsText: cutsText)
        } else {
            waiting.append(.damage(.readError(at: window.position, size: size, member: member), cutsText: cutsText))
        }
        place = .finished
    }

    private func note(_ kind: Damage.Kind, at offset: UInt64, lost: UInt64, cutsText: Bool) {
        waiting.append(.damage(Damage(kind: kind, offset: offset, member: member, lostBytes: lost, lostText: 0), cutsText: cutsText))
    }
}
