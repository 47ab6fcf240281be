/// `stdout`: standard output, as the records come.
package struct StandardOutputSink: RecordSink {
    package static let declaration = Declaration(
        "stdout", "standard output", argument: .choice(["true"]), example: "stdout: true")

    package init() {}
    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {}

    package var path: PathTemplate { PathTemplate(pieces: [.text("-")]) }

    package func open(empty: [UInt8]) -> any OpenSink { OpenStandardOutput() }
}

/// Standard output while a run goes on: what was written cannot be taken back.
private final class OpenStandardOutput: OpenSink {
    private var written = SinkMark.Output(path: "-", bytes: 0, records: 0)
    private let digest = Digest()

    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to output: String) throws(OutputError) {
        try StandardOutput.write(bytes)
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

    func publish() -> [PublishedOutput] {
        [PublishedOutput(path: "-", records: written.records, bytes: written.bytes, sha256: digest.hex)]
    }

    func discard() {}
}
