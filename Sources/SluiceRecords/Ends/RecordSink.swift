/// Where a pipeline's records are written.
package protocol RecordSink: Sendable {
    /// The output that a record goes to: one name for all records, or one made from their values.
    var path: PathTemplate { get }

    /// The extension of the outputs' names that determines the format: `jsonl` in
    /// `errors.jsonl.gz`.
    var fileExtension: String? { get }

    /// `nil`: outputs are not compressed.
    var compression: CompressionLevel? { get }

    /// How a compressed output is divided into gzip members.
    var members: GzipMembers { get }

    /// The format of compressed outputs.
    var codec: OutputCodec { get }

    /// How large the files may get that each output is divided into; `nil`: one file for an output,
    /// or for a task's part of it.
    var part: PartLimit? { get }

    /// Whether each task of a divided run writes files of its own for each output; a run that is
    /// not divided counts as one task.
    var hasTaskParts: Bool { get }

    /// The table of its outputs, if they are databases.
    var table: String? { get }

    /// The format that its outputs have, if there is no choice.
    var ownFormat: (any WritableFormat)? { get }

    /// Called once per run.
    ///
    /// - Parameters:
    ///   - empty: the contents of an output that nothing was written to.
    ///   - staging: the names of files before they are published.
    func open(empty: [UInt8], staging: Staging) -> any OpenSink

    /// The regular file that exists at an output's path, if there is one.
    func file(of output: String) throws(InputError) -> FileIdentity?

    /// The directory entry that an output gets when it is published, if it gets one.
    func place(of output: String) throws(InputError) -> FilePlace?

    /// A sink of the same kind whose outputs have other names: `a.suffix.jsonl.gz` for
    /// `a.jsonl.gz`. An output that is no file, such as standard output, has no other name.
    func naming(withSuffix suffix: String) -> any RecordSink

    /// Why the sink itself refuses an output whose name is made from a record's values.
    func refusal(of output: String) throws(InputError) -> String?
}

extension RecordSink {
    package var fileExtension: String? { nil }
    package var compression: CompressionLevel? { nil }
    package func refusal(of output: String) -> String? { nil }
    package func naming(withSuffix suffix: String) -> any RecordSink { self }
    package var members: GzipMembers { .one }
    package var codec: OutputCodec { .gzip }
    package var part: PartLimit? { nil }
    package var hasTaskParts: Bool { false }
    package var table: String? { nil }
    package var ownFormat: (any WritableFormat)? { nil }

    /// The path of the file that an output begins with.
    func first(of output: String) -> String { part == nil && !hasTaskParts ? output : path(of: output, part: 1) }

    /// The path of one of the files that a run divides an output into.
    ///
    /// - Parameter number: from 1.
    func path(of output: String, part number: Int) -> String {
        guard hasTaskParts else { return PartLimit.path(of: output, part: number) }
        let part = PartLimit.path(of: output, part: 1)
        return self.part == nil ? part : TaskParts.path(of: part, part: number)
    }
}

/// A sink that pipeline files can name, by its key in `sink`.
package protocol DeclaredSink: RecordSink {
    static var declaration: Declaration { get }

    /// Called with an argument that conforms to the declaration's shape. Compiles the expressions
    /// in it against `checking.fields`.
    init?(_ argument: Argument, options: Arguments, _ checking: inout Checking)
}

/// The outputs of a running pipeline. Called by one job at a time.
///
/// Outputs are complete and appear together when they are published; until then, existing ones of
/// the same names stay.
package protocol OpenSink: AnyObject {
    /// The canonical name of an output that several names may lead to: the first that was used, and
    /// the one reported. Creates the output.
    func name(of output: String) throws(OutputError) -> String

    /// Appends bytes, possibly none, to an output. The first call creates it.
    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to output: String) throws(OutputError)

    /// Takes a complete file as an output that nothing was appended to. The file stays where it is.
    func take(_ file: FinishedFile, as output: String) throws(OutputError)

    /// Makes what was appended durable beyond the process, and returns its extent.
    func checkpoint() throws(OutputError) -> SinkMark

    /// Returns to a mark of this run: discards what was appended after it.
    func restore(to mark: SinkMark) throws(OutputError)

    /// Does everything that can fail for lack of space or permission, before any output is
    /// published.
    func prepare() throws(OutputError)

    /// The renames that publish the outputs; available once everything is prepared.
    var moves: [Journal.Move] { get }

    /// The outputs as they will be published; available once everything is prepared.
    var described: [PublishedOutput] { get }

    /// Publishes the outputs.
    ///
    /// - Returns: the outputs in the byte order of their names.
    func publish() throws(OutputError) -> [PublishedOutput]

    /// Called instead of ``publish()`` once all renames of ``moves`` are done.
    func published() throws(OutputError)

    /// Removes what was appended but not published.
    func discard()

    /// Keeps what was appended but not published for another process of the run.
    func leave()
}

extension OpenSink {
    package func take(_ file: FinishedFile, as output: String) throws(OutputError) {
        preconditionFailure("only files have parts by task")
    }

    package var moves: [Journal.Move] { [] }
    package func published() throws(OutputError) { _ = try publish() }
    package func leave() { discard() }
}

/// The extent of each output at a checkpoint.
package struct SinkMark: Sendable, Equatable {
    package struct Output: Sendable, Equatable {
        package var path: String
        package var bytes: UInt64
        package var records: Int
        /// The digest of those bytes, in 64 hexadecimal digits, if another process may go on from
        /// the mark.
        package var sha256: String?
    }

    /// In the byte order of the paths.
    package var outputs: [Output]
}
