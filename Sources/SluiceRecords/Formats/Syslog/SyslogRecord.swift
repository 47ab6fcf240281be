import SluiceCEL

/// A record taken apart. Parts that it does not have are absent.
struct SyslogRecord {
    typealias Part = UnsafeBufferPointer<UInt8>

    var priority: Int?
    var time = Cell.absent
    var host: Part?
    var app: Part?
    var pid: Part?
    var msgid: Part?
    /// From the first bracket to the last.
    var structuredData: Part?
    var message: Part?
}

/// Takes records apart: of RFC 5424, which have a version after their priority, and of RFC 3164 as
/// programs write them, which may lack anything but a time or a priority.
///
/// Unsafe memory: reads within the record, and 64 bytes after it, which must be readable.
struct SyslogReading {
    typealias Place = UnsafePointer<UInt8>
    typealias Part = UnsafeBufferPointer<UInt8>

    private let record: Part
    private let times: SyslogTime
    private var end: Place
    private var place: Place
    private(set) var found = SyslogRecord()

    init(_ record: Part, from start: Place, _ times: SyslogTime) {
        self.record = record
        self.times = times
        place = start
        end = start + record.count
    }

    mutating func read() throws(FormatFault) {
        try skipCount()
        if place < end, place.pointee == UInt8(ascii: "<") {
            try readPriority()
            if skipVersion() { return try readHeader() }
        }
        try readLegacy()
    }

    private func fault(_ what: String) -> FormatFault { FormatFault(what, at: place, in: record) }

    private func part(_ start: Place, _ end: Place) -> Part { Part(start: start, count: end - start) }

    /// The end of the word that begins here.
    private func wordEnd(_ start: Place) -> Place {
        var place = start
        while place < end, place.pointee != 0x20 { place += 1 }
        return place
    }

    /// Skips the number of bytes before a message with octet counting, and checks it; leaves out
    /// the line end, which some programs count.
    private mutating func skipCount() throws(FormatFault) {
        if let counted = OctetCount(place, end) {
            place += counted.digits + 1
            guard end - place == counted.count else {
                throw FormatFault("the message has \(end - place) bytes, but its count is \(counted.count)")
            }
        }
        end = place + LineText.count(of: part(place, end))
    }

    private mutating func readPriority() throws(FormatFault) {
        let digits = place + 1
        let close = min(JSONScan.digits(digits, end), end)
        guard (1...3).contains(close - digits), close < end, close.pointee == UInt8(ascii: ">") else { throw fault("expected a priority such as <34>") }
        let priority = Int(JSONNumber.integer(digits, close - digits))
        guard priority <= SyslogNames.highestPriority else { throw FormatFault("the priority \(priority) is greater than \(SyslogNames.highestPriority)") }
        found.priority = priority
        place = close + 1
    }

    private mutating func skipVersion() -> Bool {
        let after = min(JSONScan.digits(place, end), end)
        guard (1...3).contains(after - place), after < end, after.pointee == 0x20, place.pointee != UInt8(ascii: "0") else { return false }
        place = after + 1
        return true
    }
}

// RFC 5424.
extension SyslogReading {
    private mutating func readHeader() throws(FormatFault) {
        if !isNil() {
            guard let (time, after) = times.iso(place, end, isStrict: true) else { throw fault("expected a time such as 2026-11-28T10:00:00Z, or '-',") }
            found.time = time
            place = after
        }
        try skipBlank("the time")
        found.host = try word("a host")
        found.app = try word("an app")
        found.pid = try word("a process")
        found.msgid = try word("a message's name")
        let start = place
        if !isNil() {
            guard let after = try StructuredData.end(of: record, from: place, end) else { throw fault("expected structured data or '-'") }
            found.structuredData = part(start, after)
            place = after
        }
        guard place < end else { return }
        try skipBlank("structured data")
        if end - place >= 3, place[0] == 0xEF, place[1] == 0xBB, place[2] == 0xBF { place += 3 }
        found.message = part(place, end)
    }

    /// Skips a `-` that is a whole word.
    private mutating func isNil() -> Bool {
        guard place < end, place.pointee == UInt8(ascii: "-"), place + 1 == end || place[1] == 0x20 else { return false }
        place += 1
        return true
    }

    private mutating func skipBlank(_ what: String) throws(FormatFault) {
        guard place < end, place.pointee == 0x20 else { throw fault("expected a blank after \(what)") }
        place += 1
    }

    /// A word and the blank after it.
    /// - Returns: `nil` if it is `-`.
    private mutating func word(_ what: String) throws(FormatFault) -> Part? {
        let start = place
        while place < end, place.pointee > 0x20, place.pointee != 0x7F { place += 1 }
        guard place > start else { throw fault("expected \(what) or '-'") }
        let word = part(start, place)
        try skipBlank(what)
        return word.count == 1 && word[0] == UInt8(ascii: "-") ? nil : word
    }
}

// RFC 3164, and what is written in its place.
extension SyslogReading {
    private mutating func readLegacy() throws(FormatFault) {
        while found.priority != nil, place < end, place.pointee == 0x20 { place += 1 }
        if let (time, after) = times.any(place, end), after == end || after.pointee == 0x20 || after.pointee == UInt8(ascii: ":") {
            found.time = time
            place = after
            if place < end, place.pointee == UInt8(ascii: ":") { place += 1 }
            while place < end, place.pointee == 0x20 { place += 1 }
            guard place < end else { return }
            readHost()
        } else if found.priority == nil {
            throw fault("expected a priority such as <34>, or a time")
        }
        guard place < end else { return }
        readTag()
        found.message = part(place, end)
    }

    /// A host, unless a facility with a severity, or a tag, follows the time.
    private mutating func readHost() {
        if skipNamedPriority() || isTag() { return }
        let after = wordEnd(place)
        let host = part(place, after)
        found.host = host.count == 1 && host[0] == UInt8(ascii: "-") ? nil : host
        place = min(after + 1, end)
        while place < end, place.pointee == 0x20 { place += 1 }
        _ = skipNamedPriority()
    }

    /// Skips `user.notice`, which busybox writes.
    private mutating func skipNamedPriority() -> Bool {
        let after = wordEnd(place)
        guard after < end, let priority = SyslogNames.priority(part(place, after)) else { return false }
        if found.priority == nil { found.priority = priority }
        place = after + 1
        return true
    }

    /// Whether the word here is a tag rather than a host: `app:`, `app[7]:`.
    private func isTag() -> Bool {
        let after = wordEnd(place)
        if after > place + 1, after[-1] == UInt8(ascii: ":") { return true }
        var bracket = place
        while bracket + 1 < after {
            if bracket[0] == UInt8(ascii: "]"), bracket[1] == UInt8(ascii: ":") { return true }
            bracket += 1
        }
        return false
    }

    /// `app: `, `app[7]: ` or `app[7] `. Other text belongs to the message.
    private mutating func readTag() {
        let start = place
        var after = start
        while after < end, after.pointee != 0x20, after.pointee != UInt8(ascii: "["), after.pointee != UInt8(ascii: ":") || !isTagEnd(after) { after += 1 }
        guard after > start, after < end, after.pointee != 0x20 else { return }
        if after.pointee == UInt8(ascii: "[") {
            let bracket = after
            while after < end, after.pointee != 0x20, after.pointee != UInt8(ascii: "]") { after += 1 }
            guard after < end, after.pointee == UInt8(ascii: "]"), after > bracket + 1 else { return }
            let hasColon = after + 1 < end && after[1] == UInt8(ascii: ":")
            guard hasColon || after + 1 == end || after[1] == 0x20 else { return }
            found.pid = part(bracket + 1, after)
            found.app = part(start, bracket)
            place = after + (hasColon ? 2 : 1)
        } else {
            found.app = part(start, after)
            place = after + 1
        }
        if place < end, place.pointee == 0x20 { place += 1 }
    }

    /// Whether a blank or the end follows the colon.
    private func isTagEnd(_ colon: Place) -> Bool { colon + 1 == end || colon[1] == 0x20 }
}
