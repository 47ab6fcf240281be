/// A format that records are read from and, perhaps, written in. One type per format, named as in
/// pipeline files.
///
/// A format that is completed by the head of each file (such as the header of a CSV file) is bound
/// to each distinct head before anything is decoded: see ``HeadedFormat``.
package protocol Format: Sendable {
    static var declaration: Declaration { get }

    /// Called with options that conform to the declaration's shape. Reports other errors in them.
    init?(_ options: Arguments?, _ checking: inout Checking)

    /// How text is cut into records.
    var framing: Framing { get }

    /// Reports options that do not apply to reading.
    func checkReading(_ checking: inout Checking)

    /// The fields that a record can have. For a known schema, a record may lack any of them.
    var schema: Schema { get }

    /// Makes a decoder that fills one column for each name. Columns with names that the format does
    /// not know stay absent.
    ///
    /// - Parameter spans: whether to fill in the spans of members as well; only JSON records have
    ///   any.
    func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder

    /// The format of records that may be several lines.
    var joiningLines: any Format { get }
}

/// A format that is completed by the first record of each file.
package protocol HeadedFormat: Format {
    /// Whether its fields are known only from a file's head.
    var needsHead: Bool { get }

    /// The format of the records after this head. Its fields are known.
    func completed(by head: FileHead) -> any Format
}

/// A format that can be written.
package protocol WritableFormat: Format {
    /// The file extensions that select the format, without the one for compression: `jsonl`.
    static var fileExtensions: [String] { get }

    /// Reports what prevents records with `checking.fields` from being written.
    ///
    /// - Parameters:
    ///   - place: the place of the sink.
    ///   - areOwn: whether records are still the bytes that were read.
    func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool)

    /// - Parameters:
    ///   - fields: the fields of the records as they reach the sink.
    ///   - columns: the fields of every output, if the format must know them beforehand.
    func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter

    /// Whether the fields of all records of an output must be known before its first record is
    /// written.
    var needsColumns: Bool { get }

    /// Fields that must be decoded for it.
    var mentions: [String] { get }

    /// Whether records are written field by field, rather than as their own bytes or a single
    /// field.
    var writesFields: Bool { get }

    /// How the written text is cut into records again.
    var writtenFraming: Framing { get }

    /// The header of an output with these fields, even if it has no records.
    func head(of columns: [String]) -> [UInt8]
}

extension WritableFormat {
    package func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool) {}
    package var needsColumns: Bool { false }
    package var mentions: [String] { [] }
    package var writesFields: Bool { true }
    package var writtenFraming: Framing { .lines }
    package func head(of columns: [String]) -> [UInt8] { [] }
}

/// Writes records as text, in one format, with the fields at one place. Immutable and shared by all
/// workers.
package protocol RecordWriter: Sendable {
    /// The header of every output, such as that of a CSV file.
    var head: [UInt8] { get }

    /// Whether records are written as the bytes that were read, with a line feed; of JSON objects
    /// with a duplicate name, only the last of its members.
    var copiesRecords: Bool { get }

    /// Whether the bytes of all records of a batch may be written as they are. Asked only if
    /// ``copiesRecords``.
    func canCopy(_ batch: RecordBatch) -> Bool

    /// Whether a carriage return at the end of those bytes is dropped.
    var dropsReturns: Bool { get }

    /// Writes a record and its terminator.
    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure)
}

extension RecordWriter {
    package var head: [UInt8] { [] }
    package var copiesRecords: Bool { false }
    package func canCopy(_ batch: RecordBatch) -> Bool { true }
    package var dropsReturns: Bool { false }
}

/// How text is cut into records.
package enum Framing: Sendable, Hashable {
    /// Each line is a record.
    case lines
    /// Each line is a record, except that line feeds between quotes do not end it.
    case quoted(Quoting)
    /// JSON documents. Records are the elements of the list at the path in each document; without a
    /// path, documents that are objects, and the elements of those that are lists.
    case documents(path: [String])
    /// Each line is a record, except that one which begins with the number of its bytes ends after
    /// that many: syslog messages with octet counting.
    case syslog
    /// Lines are joined to records.
    case multiline(Multiline)
}

/// The head of a file: what precedes the records, in formats that have one.
package final class FileHead: Sendable, Hashable, Codable {
    /// The first record, without its line feed.
    package let bytes: [UInt8]
    /// What `#` lines say about the records after them, if the file has such lines.
    package let directives: LogDirectives?
    /// Why the file's records cannot be read.
    package let problem: String?

    package init(_ bytes: [UInt8], directives: LogDirectives? = nil, problem: String? = nil) {
        self.bytes = bytes
        self.directives = directives
        self.problem = problem
    }

    package static func == (left: FileHead, right: FileHead) -> Bool {
        left === right || (left.bytes == right.bytes && left.directives == right.directives && left.problem == right.problem)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(bytes)
        hasher.combine(directives)
        hasher.combine(problem)
    }
}
