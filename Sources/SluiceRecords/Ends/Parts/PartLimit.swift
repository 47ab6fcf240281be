/// How large the files may get that an output is divided into. Records are never divided.
///
/// ```swift
/// records.writing(to: "out/errors.jsonl.gz", part: PartLimit(bytes: 256 << 20))
/// ```
public struct PartLimit: Sendable, Equatable {
    /// In bytes of text, before compression, with the header; a longer record gets a file of its
    /// own.
    public var bytes: Int?
    /// The number of records in each file.
    public var records: Int?

    /// - Parameters:
    ///   - bytes: of text, before compression.
    ///   - records: a new file begins when either limit is reached; at least one must be given.
    public init(bytes: Int? = nil, records: Int? = nil) {
        precondition(bytes.map { $0 > 0 } ?? true, "a part needs at least one byte, not \(bytes ?? 0)")
        precondition(records.map { $0 > 0 } ?? true, "a part needs at least one record, not \(records ?? 0)")
        self.bytes = bytes
        self.records = records
    }

    static let keys = [
        ArgumentKey(
            "bytes", .size(1...(1 << 50)), example: "bytes: 256MiB",
            "of text, before compression, with the header; a longer record gets a file of its own"),
        ArgumentKey("records", .integer(1...1_000_000_000_000), example: "records: 1000000", "in each file"),
    ]

    /// Whether the argument has a limit; it is a map by now, also if it was written as a size.
    static func isGiven(by argument: Argument) -> Bool { argument.keys.map { $0["bytes"] != nil || $0["records"] != nil } ?? false }

    init?(_ argument: Argument, _ checking: inout Checking) {
        guard let keys = argument.keys else { return nil }
        bytes = keys["bytes"]?.integer
        records = keys["records"]?.integer
        guard bytes != nil || records != nil else {
            checking.report("'part' has no limit", at: argument.place, fix: "write 'part: 256MiB' or 'part: {records: 1000000}'")
            return nil
        }
    }

    func admits(_ next: Int, after part: OutputParts.Part) -> Bool {
        if let records, part.records >= records { return false }
        guard let bytes else { return true }
        return part.records == 0 || part.bytes + next <= bytes
    }

    /// The path of one of an output's files: `out/a-00001.jsonl.gz` of `out/a.jsonl.gz`.
    ///
    /// No two outputs have a part of the same path: the number is everything between the last `-`
    /// and the extensions, and what remains without both is the output.
    ///
    /// - Parameter width: the least number of digits.
    static func path(of output: String, part number: Int, width: Int = digits) -> String {
        let digits = String(number)
        return path(of: output, number: String(repeating: "0", count: max(0, width - digits.count)) + digits)
    }

    static func path(of output: String, number: String) -> String {
        let name = output.utf8.lastIndex(of: NameBytes.slash).map { output[output.utf8.index(after: $0)...] } ?? output[...]
        let stem = FileName(output).stem
        return "\(output[..<name.startIndex])\(stem)-\(number)\(name.dropFirst(stem.count))"
    }

    /// The usual number of digits.
    static let digits = 5

    /// The output that a file is a part of, and its number, by its name; `nil` if it has not that
    /// of a part.
    ///
    /// - Parameter width: the least number of digits.
    static func split(_ path: String, width: Int = digits) -> (output: String, number: String)? {
        let name = path.utf8.lastIndex(of: NameBytes.slash).map { path[path.utf8.index(after: $0)...] } ?? path[...]
        let stem = FileName(path).stem
        guard let dash = stem.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
        let number = stem.utf8[dash...].dropFirst()
        guard number.count >= width, number.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return ("\(path[..<name.startIndex])\(stem[..<dash])\(name.dropFirst(stem.count))", String(Substring(number)))
    }
}
