import FoundationEssentials
import Sluice

/// The contents of `report.json`, in pieces: those of a million inputs have some 400 MB, and much
/// more as a value of an encoder.
///
/// The bytes are those that an encoder gives for the whole report: indented, with snake-case keys
/// in alphabetical order.
struct ReportText: Sendable {
    /// `sha256:` and the digest of the report without this field.
    let digest: String
    private(set) var byteCount = 0
    /// What comes before the inputs.
    private let head: [UInt8]
    private let inputs: [RunReport.Input]
    private let tail: [UInt8]

    /// In bytes.
    private static let piece = 64 << 10

    init(_ report: RunReport) throws(RunError) {
        var rest = report
        (rest.digest, rest.inputs) = (nil, [])
        let json = try Self.encoded(rest)
        guard let list = json.firstRange(of: Array("\n  \"inputs\" : [\n".utf8)) else {
            throw .report(path: "report.json", reason: "it cannot be encoded: no place for the inputs")
        }
        let (head, tail) = (Array(json[..<list.upperBound]), Array(json[list.upperBound...]))
        let sum = Digest()
        Self.forEachPiece(head, report.inputs, tail) { sum.update($0) }
        digest = "sha256:" + sum.hex
        let place = Self.place(of: "digest", in: head)
        self.head = head[..<place] + Array("  \"digest\" : \"\(digest)\",\n".utf8) + head[place...]
        (inputs, self.tail) = (report.inputs, tail)
        var count = 0
        forEachPiece { count += $0.count }
        byteCount = count
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        forEachPiece { bytes += $0 }
        return bytes
    }

    func forEachPiece<Failure: Error>(_ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Void) throws(Failure) {
        try Self.forEachPiece(head, inputs, tail, body)
    }

    private static func forEachPiece<Failure: Error>(
        _ head: [UInt8], _ inputs: [RunReport.Input], _ tail: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        try head.withUnsafeBufferPointer(body)
        let json = ByteBuffer(capacity: 2 * piece)
        defer { withExtendedLifetime(json) {} }
        for (index, input) in inputs.enumerated() {
            json.append(index == 0 ? "    {\n" : ",\n    {\n")
            var members = Members(json: json)
            members.add(input)
            json.append("\n    }")
            guard json.count >= piece else { continue }
            try body(json.filled)
            json.count = 0
        }
        try body(json.filled)
        try tail.withUnsafeBufferPointer(body)
    }

    /// The line of the first key of the report itself, not of a part, that comes after another key.
    private static func place(of key: String, in json: [UInt8]) -> Int {
        let key = Array(key.utf8)
        var line = 0
        while let end = json[line...].firstIndex(of: UInt8(ascii: "\n")) {
            if json[line...].starts(with: "  \"".utf8), key.lexicographicallyPrecedes(json[(line + 3)..<end]) { return line }
            line = end + 1
        }
        return line
    }

    fileprivate static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    private static func encoded(_ report: RunReport) throws(RunError) -> [UInt8] {
        do {
            return Array(try encoder.encode(report)) + [UInt8(ascii: "\n")]
        } catch {
            throw .report(path: "report.json", reason: "\(error)")
        }
    }
}

/// Writes the members of an input, an object in a list of the report.
private struct Members {
    let json: ByteBuffer
    private var isFirst = true

    init(json: ByteBuffer) { self.json = json }

    /// With the keys in alphabetical order.
    mutating func add(_ input: RunReport.Input) {
        add("absorbed", input.absorbed)
        add("added", input.added)
        if let archive = input.archive { add("archive", encoding: archive) }
        begin("bytes")
        JSONText.writeDigits(input.bytes, to: json)
        if input.damage.isEmpty {
            begin("damage")
            json.append("[\n\n      ]")
        } else {
            add("damage", encoding: input.damage)
        }
        add("dead", input.dead)
        if let ends = input.endsDigest { add("ends", ends.text) }
        add("file", input.file)
        add("filtered", input.filtered)
        add("members", input.members)
        if let note = input.note { add("note", note) }
        add("records", input.records)
        if let version = input.version { add("version", version) }
        begin("whole")
        json.append(input.whole ? "true" : "false")
        add("written", input.written)
    }

    private mutating func begin(_ key: StaticString) {
        json.append(isFirst ? "      \"" : ",\n      \"")
        isFirst = false
        json.append(key)
        json.append("\" : ")
    }

    private mutating func add(_ key: StaticString, _ number: Int) {
        begin(key)
        JSONText.write(number, to: json)
    }

    private mutating func add(_ key: StaticString, _ text: String) {
        begin(key)
        JSONText.write(text, to: json)
    }

    /// Few inputs have values that are no scalars.
    private mutating func add(_ key: StaticString, encoding value: some Encodable) {
        begin(key)
        let encoded: Data
        do {
            encoded = try ReportText.encoder.encode(value)
        } catch {
            preconditionFailure("a part of a report can be encoded")
        }
        // An empty list has an empty line.
        for (line, text) in encoded.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line > 0 { json.append("\n") }
            if line > 0, !text.isEmpty { json.append("      ") }
            for byte in text { json.append(byte) }
        }
    }
}
