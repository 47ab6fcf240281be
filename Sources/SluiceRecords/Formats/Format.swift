/// How records are read from text and written to it. One type a format, named as in pipeline files.
///
/// A format that a file's own head completes (the header of a CSV file) is bound to each head it
/// meets before anything is decoded: see ``HeadedFormat``.
package protocol Format: Sendable {
    static var declaration: Declaration { get }

    /// Takes the options that the declaration's shape has let pass; reports what else is wrong with
    /// them.
    init?(_ options: Arguments?, _ checking: inout Checking)

    /// How text is cut into records.
    var framing: Framing { get }

    /// Reports options that say nothing about reading.
    func checkReading(_ checking: inout Checking)

    /// The fields that a record can have. Of a format with known fields, any may be absent from a
    /// record.
    var schema: Schema { get }

    /// A decoder that fills one column for each of the names; names that the format does not know
    /// stay absent.
    ///
    /// - Parameter spans: whether the places of members are wanted as well; only records of JSON
    ///   have any.
    func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder
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
    /// The endings of file names that call for it, before one for the compression: `jsonl`.
    static var fileExtensions: [String] { get }

    /// Reports what keeps records of `checking.fields` from being written.
    ///
    /// - Parameters:
    ///   - place: of the sink.
    ///   - areOwn: whether records are still the bytes that they came in.
    func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool)

    /// - Parameters:
    ///   - fields: of the records as they reach the sink.
    ///   - columns: the fields that every output has, where a format needs to know them beforehand.
    func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter

    /// Whether all records of an output must have fields that are known before its first record is
    /// written.
    var needsColumns: Bool { get }

    /// Fields that it must find decoded.
    var mentions: [String] { get }

    /// Whether a record is written field by field, rather than as its own bytes or one field of it.
    var writesFields: Bool { get }

    /// How what it writes is cut into records again.
    var writtenFraming: Framing { get }

    /// What an output with these fields begins with, records or not.
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

/// Records to text, for one format and the fields at one place. Immutable: shared by all workers.
package protocol RecordWriter: Sendable {
    /// What every output begins with: the header of a CSV file.
    var head: [UInt8] { get }

    /// Whether a record is written as the bytes that it came in, with a line feed.
    var copiesRecords: Bool { get }

    /// Whether a carriage return at the end of those is left out.
    var dropsReturns: Bool { get }

    /// Writes one record with what ends it.
    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) throws(RecordFailure)
}

extension RecordWriter {
    package var head: [UInt8] { [] }
    package var copiesRecords: Bool { false }
    package var dropsReturns: Bool { false }
}

/// How text is cut into records.
package enum Framing: Sendable, Hashable {
    /// A record is a line.
    case lines
    /// A record is a line, but for line feeds between quotes.
    case quoted(Quoting)
}

/// What stands before the records of a file whose format has a head.
package final class FileHead: Sendable, Hashable {
    /// The first record, without its line feed.
    package let bytes: [UInt8]
    /// Why the file's records cannot be read.
    package let problem: String?

    package init(_ bytes: [UInt8], problem: String? = nil) {
        self.bytes = bytes
        self.problem = problem
    }

    package static func == (left: FileHead, right: FileHead) -> Bool {
        left === right || (left.bytes == right.bytes && left.problem == right.problem)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(bytes)
        hasher.combine(problem)
    }
}
