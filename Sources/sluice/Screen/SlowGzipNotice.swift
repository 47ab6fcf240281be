import SluiceRecords

/// Prints a notice once, some seconds into a run, that gzip is processed by the slower library, and
/// how to get the faster one.
struct SlowGzipNotice {
    /// A run that ends sooner is not worth a notice.
    static let delay = Duration.seconds(3)

    /// `nil` if there is nothing to report.
    let text: String?

    init(_ pipeline: RecordPipeline) {
        let writesGzip = pipeline.sinks.contains { $0.sink.compression != nil && $0.sink.codec == .gzip }
        let readsGzip = pipeline.source.inputs.contains { $0.path.hasSuffix(".gz") }
        self.init(isNeeded: DeflateLibrary.preferred == .zlib && (writesGzip || readsGzip), hasFastLibrary: DeflateLibrary.isal.isAvailable)
    }

    init(isNeeded: Bool, hasFastLibrary: Bool) {
        let fix =
            hasFastLibrary
            ? "unset SLUICE_INFLATE"
            : "install ISA-L (libisal-dev) and build again without SLUICE_NO_ISAL"
        text = isNeeded ? "using zlib for gzip, which is several times slower than ISA-L: \(fix)" : nil
    }

    /// Runs `body`, and writes the notice to standard error meanwhile.
    func watch<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        async let _: Void = write()
        return try await body()
    }

    private func write() async {
        guard let text else { return }
        do { try await ContinuousClock().sleep(for: Self.delay) } catch { return }
        // Overwrites the progress line.
        Log.write((Terminal.error.takesCodes ? "\r\u{1B}[2K" : "") + "sluice: \(text)\n", or: [LogEntry(.warning, text)])
    }
}
