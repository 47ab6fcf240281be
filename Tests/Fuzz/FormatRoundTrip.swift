import SluiceCEL

@testable import SluiceRecords

/// Writes records in a format and reads them back.
///
/// What is read must be the records that were written: for formats of text, the texts of their
/// fields; for syslog, what is read of a message that was written is read again of a message made
/// of that.
struct FormatRoundTrip {
    private struct Field {
        let name: String
        let text: String

        var json: String { Value.string(name).jsonText + ":" + Value.string(text).jsonText }
    }

    /// Every format that can be written, some with options.
    static let all: [FormatRoundTrip] = {
        let place = TextPlace(TextPosition(line: 1, column: 1))
        let definitions: [(String, [String: Argument])] = [
            ("csv", [:]), ("csv", ["separator": .leaf(Leaf(";")), "quote": .leaf(Leaf("'")), "escape": .leaf(Leaf(#"\"#)), "quoting": .leaf(Leaf("all"))]),
            ("csv", ["nulls": .list([.leaf(Leaf("NA")), .leaf(Leaf(""))], place), "quoting": .leaf(Leaf("nonnumeric"))]),
            ("tsv", [:]), ("logfmt", [:]), ("lines", [:]), ("syslog", [:]),
        ]
        return definitions.map { name, options in
            guard let format = FormatFuzzer.format(name, options) as? any WritableFormat else { preconditionFailure("\(name) cannot be written") }
            return FormatRoundTrip(format)
        }
    }()

    private let format: any WritableFormat
    private let writing: Plan
    private let reading: Plan

    private init(_ format: any WritableFormat) {
        self.format = format
        writing = FormatFuzzer.plan(JSONL(), as: format)
        reading = FormatFuzzer.plan(format)
    }

    /// - Parameter lines: records as JSON.
    func check(_ lines: [[UInt8]], with fuzzer: FormatFuzzer) {
        switch format {
        case is Syslog: checkAgain(lines, fuzzer)
        case is Lines: check(lines.flatMap(Self.fields).map { [Field(name: LinesDecoder.field, text: $0.text)] }, fuzzer)
        default: check(lines.map(Self.fields), fuzzer)
        }
    }

    private func check(_ records: [[Field]], _ fuzzer: FormatFuzzer) {
        var seen: Swift.Set<Name> = []
        let columns = records.joined().map(\.name).filter { seen.insert(Name($0)).inserted }
        let head = format.head(of: columns)
        guard !columns.isEmpty, canBegin(with: head) else { return }
        let input = records.flatMap { Array(("{" + $0.map(\.json).joined(separator: ",") + "}\n").utf8) }
        let texts = fuzzer.texts(of: input, JSONL(), writing, columns: columns)
        require(texts.count == records.count, "\(records.count) records were made, and \(texts.count) read")
        let written = zip(records, texts).compactMap { record, text in text.map { (record: record, text: $0) } }
        let output = head + written.flatMap(\.text)
        let back = fuzzer.texts(of: output, format, reading)
        require(back.count == written.count, "\(written.count) records were written, and \(back.count) read: \(String(decoding: output, as: UTF8.self))")
        for (record, line) in zip(written.map(\.record), back) {
            let found = line.map { Self.fields(of: $0) } ?? []
            require(Self.sorted(found) == Self.sorted(record), "written: \(record.map(\.json))\nread: \(found.map(\.json))")
        }
    }

    private func checkAgain(_ lines: [[UInt8]], _ fuzzer: FormatFuzzer) {
        func back(_ lines: [[UInt8]]) -> [[UInt8]] {
            let written = fuzzer.texts(of: lines.flatMap { $0 }, JSONL(), writing).compactMap { $0 }
            let read = fuzzer.texts(of: written.flatMap { $0 }, format, reading).compactMap { $0 }
            require(read.count == written.count, "\(written.count) messages were written, and \(read.count) read")
            return read
        }
        let first = back(lines)
        let second = back(first)
        require(first.count == second.count, "\(first.count) messages were read, and \(second.count) of them written")
        for (line, other) in zip(first, second) {
            require(line == other, "read: \(String(decoding: line, as: UTF8.self))\nagain: \(String(decoding: other, as: UTF8.self))")
        }
    }

    /// Whether the header of the output is one to readers: one of tsv may be a blank line, or the
    /// beginning of a log with `#` lines.
    private func canBegin(with head: [UInt8]) -> Bool {
        guard format is TSV else { return true }
        return !head.allSatisfy { $0 == 0x20 || $0 == 0x0A } && !head.dropLast().withUnsafeBufferPointer(LogDirectives.areBegun)
    }

    /// The fields that have a name and a value, as texts.
    private static func fields(of line: [UInt8]) -> [Field] {
        guard case .map(let map)? = Value(json: String(decoding: line.dropLast(line.last == 0x0A ? 1 : 0), as: UTF8.self)) else { return [] }
        return map.entries.compactMap { entry in
            guard case .string(let name) = entry.key, !name.isEmpty, entry.value != .null else { return nil }
            guard case .string(let text) = entry.value else { return Field(name: name, text: entry.value.jsonText) }
            return Field(name: name, text: text)
        }
    }

    /// Compared by bytes, since two texts that are equal to Swift may differ.
    private static func sorted(_ fields: [Field]) -> [[UInt8]] {
        fields.map { Array($0.json.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
