import CBytes

/// The words of an access log's line before the request: address, identity, user and time.
///
/// Each is validated, so that a line of a similar format is not accepted with its words in the
/// wrong fields: one with a virtual host, a list of addresses, a syslog header or a container's
/// name before the address, or one that begins with NULs.
///
/// Unsafe memory: reads up to 64 bytes from the end of the line, as ``AccessLogDecoder`` says.
struct AccessLogWords {
    typealias Place = UnsafePointer<UInt8>
    typealias Word = (start: Place, end: Place)

    let ip: Word
    let ident: Word
    let user: Word
    let userIsEscaped: Bool
    let seconds: Int64
    /// The quote that opens the request.
    let request: Place

    @inline(__always)
    init(_ start: Place, _ end: Place, _ time: inout AccessLogTime) throws(AccessLogFault) {
        ip = try Self.address(start, end)
        // After a quoted address, skip the quote as well.
        let identStart = ip.end.pointee == 0x20 ? ip.end + 1 : ip.end + 2
        ident = try Self.identity(identStart, end)
        let userStart = ident.end + 1
        if let seconds = Self.secondsAfterNoUser(ident, userStart, end, &time) {
            user = (userStart, userStart + 1)
            userIsEscaped = false
            self.seconds = seconds
        } else {
            (user, userIsEscaped, seconds) = try Self.named(userStart, end, ip, ident, &time)
        }
        request = user.end + AccessLogTime.count + 2
    }

    /// The time if identity and user are both `-`, as in nearly every line.
    @inline(__always)
    private static func secondsAfterNoUser(_ ident: Word, _ user: Place, _ end: Place, _ time: inout AccessLogTime) -> Int64? {
        let (dash, request) = (UInt8(ascii: "-"), user + 2 + AccessLogTime.count + 1)
        guard request < end, ident.end - ident.start == 1, ident.start[0] == dash, user[0] == dash, user[1] == 0x20 else { return nil }
        guard let seconds = time.seconds(user + 2), request.pointee == UInt8(ascii: "\"") else { return nil }
        return seconds
    }

    /// Letters, digits and `.:-_%`: an IPv4 or IPv6 address, a host name, `unix:` or `-`. Twisted
    /// quotes the address.
    @inline(__always)
    private static func address(_ start: Place, _ end: Place) throws(AccessLogFault) -> Word {
        let place = host(start, end)
        if place < end, place > start, place.pointee == 0x20 { return (start, place) }
        if let quoted = quotedAddress(start, end) { return quoted }
        throw AccessLogFault(.address, at: place)
    }

    /// The end of the characters of an address.
    @inline(__always)
    private static func host(_ start: Place, _ end: Place) -> Place {
        var place = start
        while place < end {
            let stops = cbytes_host_stops16(place)
            if stops != 0 { return min(place + stops.trailingZeroBitCount, end) }
            place += 16
        }
        return end
    }

    @inline(never)
    private static func quotedAddress(_ start: Place, _ end: Place) -> Word? {
        guard start < end, start.pointee == UInt8(ascii: "\"") else { return nil }
        let close = host(start + 1, end)
        guard close > start + 1, close + 1 < end, close[0] == UInt8(ascii: "\""), close[1] == 0x20 else { return nil }
        return (start + 1, close)
    }

    @inline(__always)
    private static func identity(_ start: Place, _ end: Place) throws(AccessLogFault) -> Word {
        if start + 1 < end, start[0] == UInt8(ascii: "-"), start[1] == 0x20 { return (start, start + 1) }
        return try anyIdentity(start, end)
    }

    /// An identity as a server of RFC 1413 returns it, or the host that lighttpd writes here:
    /// printable ASCII characters other than those that separate words in similar formats.
    @inline(never)
    private static func anyIdentity(_ start: Place, _ end: Place) throws(AccessLogFault) -> Word {
        var place = start
        while place < end, place.pointee > 0x20, place.pointee < 0x7F, !isMark(place.pointee) { place += 1 }
        guard place < end, place > start, place.pointee == 0x20 else { throw AccessLogFault(.identity, at: place) }
        return (start, place)
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "|"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "{"),
            UInt8(ascii: "}"):
            true
        default: false
        }
    }
}
