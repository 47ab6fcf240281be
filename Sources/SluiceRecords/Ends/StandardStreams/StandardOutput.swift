import Glibc

enum StandardOutput {
    /// Writes all of the bytes, waiting for their reader.
    /// - Throws: ``OutputError/closed`` where there is none.
    static func write(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) throws(OutputError) {
        WriteSignals.areErrors
        guard let failure = writeAll(bytes, to: descriptor) else { return }
        throw failure == EPIPE ? .closed : .failed("standard output", "cannot be written", failure)
    }
}
