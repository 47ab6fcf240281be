extension AccessLogWords {
    /// Parses a user other than `-`, and the time after it.
    ///
    /// A name may contain blanks and brackets, so it ends before the first ` [` that begins a time
    /// followed by the request. It may be empty: Apache then writes `""`, and varnish nothing
    /// between two blanks.
    @inline(never)
    static func named(
        _ start: Place, _ end: Place, _ ip: Word, _ ident: Word, _ time: inout AccessLogTime
    ) throws(AccessLogFault) -> (user: Word, isEscaped: Bool, seconds: Int64) {
        guard let first = bracket(start + 1, end) else { throw AccessLogFault(.timeAfterUser, at: end) }
        var found = (bracket: first, seconds: seconds(first, end, &time))
        // The first bracket may be part of the name.
        if case .failure = found.seconds, let second = bracketBeforeRequest(first, end), case .success(let moment) = seconds(second, end, &time) {
            found = (second, .success(moment))
        }
        let moment = try found.seconds.get()
        let user = (start: start, end: found.bracket - 1)
        try checkNeighbours(user, ip, ident)
        if user.end - user.start == 2, user.start[0] == quote, user.start[1] == quote { return ((user.end, user.end), false, moment) }
        return (user, try isEscaped(user), moment)
    }

    private static var quote: UInt8 { UInt8(ascii: "\"") }

    /// The first `[` after a blank.
    private static func bracket(_ start: Place, _ end: Place) -> Place? {
        var place = start
        while place < end {
            if place[0] == UInt8(ascii: "["), place[-1] == 0x20 { return place }
            place += 1
        }
        return nil
    }

    /// The start of a time that would end before the first `] "`.
    private static func bracketBeforeRequest(_ start: Place, _ end: Place) -> Place? {
        var place = start
        while place + 2 < end {
            if place[0] == UInt8(ascii: "]"), place[1] == 0x20, place[2] == quote {
                let bracket = place + 1 - AccessLogTime.count
                return bracket > start && bracket[-1] == 0x20 ? bracket : nil
            }
            place += 1
        }
        return nil
    }

    /// The time that begins at the bracket, if the request follows it.
    private static func seconds(_ bracket: Place, _ end: Place, _ time: inout AccessLogTime) -> Result<Int64, AccessLogFault> {
        guard bracket + AccessLogTime.count < end, let seconds = time.seconds(bracket) else { return .failure(AccessLogFault(.time, at: bracket)) }
        let request = bracket + AccessLogTime.count + 1
        guard request < end, request.pointee == quote else { return .failure(AccessLogFault(.request, at: request)) }
        return .success(seconds)
    }

    /// Whether the name contains a backslash. Throws for control characters, which names do not
    /// contain.
    private static func isEscaped(_ user: Word) throws(AccessLogFault) -> Bool {
        var isEscaped = false
        for place in user.start..<user.end {
            if place.pointee < 0x20, place.pointee != 0x09 { throw AccessLogFault(.user, at: place) }
            if place.pointee == UInt8(ascii: "\\") { isEscaped = true }
        }
        return isEscaped
    }
}

/// Detects lines of similar formats, whose address, identity and user would be read into the wrong
/// fields.
extension AccessLogWords {
    private static func checkNeighbours(_ user: Word, _ ip: Word, _ ident: Word) throws(AccessLogFault) {
        // A virtual host before the address.
        if isAddress(ident), !isAddress(ip) { throw AccessLogFault(.prefix, at: ip.start) }
        var word = user.start
        while word < user.end {
            var end = word
            while end < user.end, end.pointee != 0x20 { end += 1 }
            // The name is a single word. Whatever it looks like, it is the name.
            guard (word, end) != (user.start, user.end) else { return }
            if isAddress((word, end)) || (end - word == 1 && word.pointee == UInt8(ascii: "-")) { throw AccessLogFault(.prefix, at: ip.start) }
            word = end + 1
        }
    }

    /// Whether the word is an IPv4 address, an IPv6 address or a time of day, all of which indicate
    /// that something comes before the address.
    private static func isAddress(_ word: Word) -> Bool {
        var (dots, colons, others) = (0, 0, 0)
        for place in word.start..<word.end {
            switch place.pointee {
            case UInt8(ascii: "."): dots += 1
            case UInt8(ascii: ":"): colons += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): others += 1
            default: return false
            }
        }
        return colons >= 2 || (dots == 3 && others == 0 && word.end - word.start >= 7)
    }
}
