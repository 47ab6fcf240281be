import SluiceCEL

/// The names of facilities and severities.
enum SyslogNames {
    /// By their codes in RFC 5424. Those after `ftp` and before `local0` have other names
    /// elsewhere.
    static let facilities = names(
        "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 local4 local5 local6 local7")
    static let severities = names("emerg alert crit err warning notice info debug")

    private static func names(_ text: String) -> [String] { text.split(separator: " ").map { String($0) } }

    /// The highest code of a priority: 8 times that of its facility, plus that of its severity.
    static let highestPriority = 191

    static let facilityCells = cells(facilities)
    static let severityCells = cells(severities)

    /// Cells with the names, which point into memory that is never freed and has padding, as the
    /// text of cells must.
    private static func cells(_ names: [String]) -> [Cell] {
        let memory = Unmanaged.passRetained(ByteBuffer(capacity: names.reduce(0) { $0 + $1.utf8.count })).takeUnretainedValue()
        return names.map { name in
            var name = name
            let start = memory.count
            name.withUTF8 { memory.append($0) }
            return .text(.string, memory.start + start, count: memory.count - start)
        }
    }

    private static let otherFacilities = [("security", 4)]
    private static let otherSeverities = [("panic", 0), ("error", 3), ("warn", 4)]

    static func facility(_ text: UnsafeBufferPointer<UInt8>) -> Int? { code(text, facilities, otherFacilities) }
    static func severity(_ text: UnsafeBufferPointer<UInt8>) -> Int? { code(text, severities, otherSeverities) }

    private static func code(_ text: UnsafeBufferPointer<UInt8>, _ names: [String], _ others: [(String, Int)]) -> Int? {
        names.firstIndex { $0.utf8.elementsEqual(text) } ?? others.first { $0.0.utf8.elementsEqual(text) }?.1
    }

    /// The priority of `user.notice`; `nil` if the text is not two such names.
    static func priority(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard text.count <= 20, let point = text.firstIndex(of: UInt8(ascii: ".")),
            let facility = facility(UnsafeBufferPointer(rebasing: text[..<point])),
            let severity = severity(UnsafeBufferPointer(rebasing: text[(point + 1)...]))
        else { return nil }
        return 8 * facility + severity
    }
}
