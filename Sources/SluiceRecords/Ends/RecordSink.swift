/// Where a pipeline's records are written.
package protocol RecordSink: Sendable {
    /// Which output a record goes to: one name for all, or a name made of the record's values.
    var path: PathTemplate { get }

    /// The ending of its outputs' names that says how they are written: `jsonl` of
    /// `errors.jsonl.gz`.
    var fileExtension: String? { get }

    /// `nil`: its outputs are not compressed.
    var compression: CompressionLevel? { get }

    /// Of a compressed output.
    var members: GzipMembers { get }

    /// Once a run.
    ///
    /// - Parameters:
    ///   - empty: what stands in an output that nothing was written to.
    ///   - staging: how files are called before they are published.
    func open(empty: [UInt8], staging: Staging) -> any OpenSink

    /// The regular file that stands where an output goes, if there is one.
    func file(of output: String) throws(InputError) -> FileIdentity?

    /// The name in a folder that an output takes when it is published, if it takes one.
    func place(of output: String) throws(InputError) -> FilePlace?

    /// Why the sink itself takes no record whose values make this name.
    func refusal(of output: String) throws(InputError) -> String?
}

extension RecordSink {
    package var fileExtension: String? { nil }
    package var compression: CompressionLevel? { nil }
    package func refusal(of output: String) -> String? { nil }
    package var members: GzipMembers { .one }
}

/// A sink that pipeline files name by its key in `sink`. One type an end.
package protocol DeclaredSink: RecordSink {
    static var declaration: Declaration { get }

    /// Takes the argument that the declaration's shape has let pass, and compiles what is in it
    /// against `checking.fields`.
    init?(_ argument: Argument, options: Arguments, _ checking: inout Checking)
}

/// The outputs of a run while it goes on. Called by one job at a time.
///
/// Outputs appear together, whole, when they are published; until then what stood under their names
/// stays.
package protocol OpenSink: AnyObject {
    /// The one name of an output that several may lead to: the first of them, as it is reported.
    /// Begins the output.
    func name(of output: String) throws(OutputError) -> String

    /// Adds bytes, perhaps none, to the end of an output, which begins empty with the first of
    /// them.
    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to output: String) throws(OutputError)

    /// Brings what was appended to where it outlives the process, and says how much that is.
    func checkpoint() throws(OutputError) -> SinkMark

    /// Goes back to a mark of this run: what was appended after it is gone.
    func restore(to mark: SinkMark) throws(OutputError)

    /// Does all that may fail for want of space or permission, before anything appears.
    func prepare() throws(OutputError)

    /// Lets the outputs appear.
    ///
    /// - Returns: in the order of their names' bytes.
    func publish() throws(OutputError) -> [PublishedOutput]

    /// Removes what was appended and not published.
    func discard()
}

/// How far each output had come at a checkpoint.
package struct SinkMark: Sendable, Equatable, Codable {
    package struct Output: Sendable, Equatable, Codable {
        package var path: String
        package var bytes: UInt64
        package var records: Int
    }

    /// In the order of their paths' bytes.
    package var outputs: [Output]
}
