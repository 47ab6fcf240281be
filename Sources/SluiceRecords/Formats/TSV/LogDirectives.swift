/// What the `#` lines in logs of Zeek and in W3C's extended log format say about the records after
/// them. They stand at the beginning of a file, and again wherever files were joined or the fields
/// of the log were changed.
package struct LogDirectives: Hashable, Sendable, Codable {
    /// Whether the last line that named the fields was W3C's `#Fields:`, not Zeek's `#fields`.
    private(set) var isW3C = false
    private(set) var separator: [UInt8] = [0x09]
    private(set) var setSeparator: [UInt8] = [UInt8(ascii: ",")]
    private(set) var emptyField = Array("(empty)".utf8)
    private(set) var unsetField = [LogDirectives.hyphen]
    /// As written, with escapes.
    private(set) var names: [[UInt8]]?
    /// Zeek's types of the fields.
    private(set) var types: [[UInt8]]?
    /// Whether a line was lost that may have named the fields.
    private var isLost = false

    private static let hyphen = UInt8(ascii: "-")
    /// The first byte of every such line.
    static let mark = UInt8(ascii: "#")
    /// The name on the first line of every log of Zeek. The others could be columns of plain files.
    private static let zeekName = "separator"
    private static let w3cNames = ["version:", "fields:", "software:", "start-date:", "end-date:", "date:", "remark:"]

    /// Whether a file that begins with this line has directives.
    static func areBegun(by line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard line.first == mark else { return false }
        let word = String(decoding: line.dropFirst().prefix(16).prefix { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }, as: UTF8.self)
        return word == zeekName || w3cNames.contains(word.lowercased())
    }

    /// Takes over what the line says. Lines that say nothing about records change nothing.
    mutating func take(_ line: UnsafeBufferPointer<UInt8>) {
        guard Self.mayMatter(line) else { return }
        let line = Array(line.dropFirst().withoutReturns)
        if let value = Self.value(of: "separator", in: line, after: 0x20) {
            separator = ZeekEscapes.undone(value)
        } else if let names = fields("fields", in: line) {
            takeNames(names, isW3C: false)
        } else if let value = Self.value(of: "types", in: line, after: separator.first ?? 0x09) {
            types = split(value)
        } else if let value = Self.value(of: "set_separator", in: line, after: separator.first ?? 0x09) {
            setSeparator = ZeekEscapes.undone(value)
        } else if let value = Self.value(of: "empty_field", in: line, after: separator.first ?? 0x09) {
            emptyField = value
        } else if let value = Self.value(of: "unset_field", in: line, after: separator.first ?? 0x09) {
            unsetField = value
        } else if line.count >= 7, String(decoding: line[..<7], as: UTF8.self).lowercased() == "fields:" {
            takeNames(line[7...].split { $0 == 0x20 || $0 == 0x09 }.map(Array.init), isW3C: true)
        }
    }

    /// Whether the line's second byte is the first of a name that ``take(_:)`` knows.
    static func mayMatter(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard line.count > 1 else { return false }
        return switch line[1] | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "f"), UInt8(ascii: "t"), UInt8(ascii: "e"), UInt8(ascii: "u"): true
        default: false
        }
    }

    private mutating func takeNames(_ names: [[UInt8]], isW3C: Bool) {
        // Types belong to the names before them.
        if names != self.names || isW3C || isLost { types = nil }
        self.names = names
        self.isW3C = isW3C
        isLost = false
    }

    /// Notes that a line was lost.
    mutating func lose() { isLost = true }

    private func fields(_ name: String, in line: [UInt8]) -> [[UInt8]]? {
        Self.value(of: name, in: line, after: separator.first ?? 0x09).map(split)
    }

    private func split(_ value: [UInt8]) -> [[UInt8]] {
        value.split(separator: separator.first ?? 0x09, omittingEmptySubsequences: false).map(Array.init)
    }

    private static func value(of name: String, in line: [UInt8], after separator: UInt8) -> [UInt8]? {
        let name = Array(name.utf8)
        guard line.count > name.count, line.starts(with: name), line[name.count] == separator else { return nil }
        return Array(line[(name.count + 1)...])
    }

    /// Why no record after these lines can be read.
    var problem: String? {
        if isLost { return "the file's header was lost to damage" }
        guard let names else { return "the file's header does not name the fields: there is no '#fields' or '#Fields:'" }
        if names.count > BatchReader.mostFields { return "the file's header has \(names.count) fields, more than \(BatchReader.mostFields)" }
        if separator.count != 1 { return "the file's '#separator' is not a single byte" }
        if setSeparator.count != 1 { return "the file's '#set_separator' is not a single byte" }
        if let types, types.count != names.count { return "the file's '#fields' and '#types' differ in number: \(names.count) and \(types.count)" }
        return nil
    }

    /// The types of the fields by index.
    var fieldTypes: [FieldType] {
        guard let types else { return [FieldType](repeating: .string, count: names?.count ?? 0) }
        return types.map { Self.type(of: String(decoding: $0, as: UTF8.self)) }
    }

    private static func type(of name: String) -> FieldType {
        if let list = ["set[", "vector[", "table["].first(where: name.hasPrefix), name.last == "]" {
            switch type(of: String(name.dropFirst(list.count).dropLast())) {
            case .int, .count, .double: return .numbers
            case .epoch: return .epochs
            case .letter: return .letters
            default: return .strings
            }
        }
        return switch name {
        case "time": .epoch
        case "interval", "double": .double
        case "count": .count
        case "int", "port": .int
        case "bool": .letter
        default: .string
        }
    }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
    fileprivate var withoutReturns: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: self).withoutReturns }
}
