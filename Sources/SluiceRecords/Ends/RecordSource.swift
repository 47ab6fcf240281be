/// Where a pipeline's records come from.
package protocol RecordSource: Sendable {
    /// The inputs, in the order of reading.
    var inputs: [InputFile] { get }

    /// Opens one of the inputs.
    ///
    /// - Parameter offset: where reading begins, in bytes of the input as stored, before
    ///   decompression.
    func open(_ input: InputFile, at offset: UInt64) throws(InputError) -> any InputBytes

    /// The identity of an input that is a regular file, so that it is not overwritten.
    func file(of input: InputFile) throws(InputError) -> FileIdentity?

    /// The path of a file that lists the inputs, so that it is not overwritten, either.
    var list: String? { get }
}

extension RecordSource {
    package var list: String? { nil }
}

/// A source that pipeline files can name, by its key in `source`.
package protocol DeclaredSource: RecordSource {
    static var declaration: Declaration { get }

    /// Called with an argument that conforms to the declaration's shape. Reports what cannot be
    /// read.
    init?(_ argument: Argument, options: Arguments, _ checking: inout Checking)
}

/// The bytes of an input, in order. Called by one job at a time.
package protocol InputBytes: AnyObject, Sendable {
    /// The size of the whole input in bytes, if known.
    var size: UInt64? { get }

    /// Whether it can be read at any position.
    var readsAnywhere: Bool { get }

    /// Why reading failed, if the bytes that came before say nothing of the input: then it is not
    /// damaged, and has not ended.
    var failure: InputError? { get }

    /// Fills the memory with the next bytes. Returns their count, 0 at the end, or a negative
    /// `errno`.
    func read(into memory: UnsafeMutableRawBufferPointer) -> Int

    /// Fills the memory with bytes from any position, whatever was read before. Returns false where
    /// that is not possible, or fewer bytes are there. May be called from any thread until `close`.
    func read(at offset: UInt64, into memory: UnsafeMutableRawBufferPointer) -> Bool

    func close()

    /// Makes the current and all later calls of `read` fail. May be called from any thread, and
    /// after `close`.
    func interrupt()
}

extension InputBytes {
    package var readsAnywhere: Bool { size != nil }
    package var failure: InputError? { nil }
    package func interrupt() {}
    package func read(at offset: UInt64, into memory: UnsafeMutableRawBufferPointer) -> Bool { false }

    /// What comes of reading, unless ``failure`` does.
    func read<Result>(_ body: () throws(InputError) -> Result) throws(InputError) -> Result {
        let result = Swift.Result { () throws(InputError) in try body() }
        if let failure { throw failure }
        return try result.get()
    }
}
