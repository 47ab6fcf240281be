import Glibc

enum StandardOutput {
    /// Writes all of the bytes; blocks while the reader is not ready.
    /// - Throws: ``OutputError/closed`` if there is no reader.
    static func write(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) throws(OutputError) {
        WriteSignals.areErrors
        guard let failure = writeAll(bytes, to: descriptor) else { return }
        throw failure == EPIPE ? .closed : .failed("standard output", "cannot be written", failure)
    }
}
