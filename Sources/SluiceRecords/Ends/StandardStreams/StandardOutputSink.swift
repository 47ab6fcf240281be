import Glibc

/// `stdout`: standard output, written as records arrive.
package struct StandardOutputSink: DeclaredSink {
    package static let declaration = Declaration(
        "stdout", "standard output", argument: .choice(["true"]), example: "stdout: true")

    private let descriptor: Int32

    /// - Parameter descriptor: a descriptor to write to instead; it is not closed.
    package init(descriptor: Int32 = STDOUT_FILENO) {
        self.descriptor = descriptor
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        self.init()
    }

    package var path: PathTemplate { PathTemplate("-") }

    package func open(empty: [UInt8], staging: Staging) -> any OpenSink { OpenStandardOutput(descriptor) }

    package func file(of output: String) throws(InputError) -> FileIdentity? { try .ofRegularFile(descriptor: descriptor) }

    package func place(of output: String) -> FilePlace? { nil }
}

/// Standard output during a run. What was written cannot be taken back.
private final class OpenStandardOutput: OpenSink {
    private var written = SinkMark.Output(path: "-", bytes: 0, records: 0)
    private let digest = Digest()
    private let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    func name(of output: String) -> String { "-" }

    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to output: String) throws(OutputError) {
        try StandardOutput.write(bytes, to: descriptor)
        digest.update(bytes)
        written.bytes += UInt64(bytes.count)
        written.records += records
    }

    func checkpoint() -> SinkMark { SinkMark(outputs: [written]) }

    func restore(to mark: SinkMark) throws(OutputError) {
        guard mark.outputs == [written] else {
            throw .failed(path: "standard output", reason: "what was written to it cannot be taken back")
        }
    }

    func prepare() {}

    var described: [PublishedOutput] {
        [PublishedOutput(path: "-", records: written.records, bytes: written.bytes, sha256: digest.hex)]
    }

    func publish() -> [PublishedOutput] { described }

    func discard() {}
}
