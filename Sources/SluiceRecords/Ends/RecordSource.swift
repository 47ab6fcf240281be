/// Where a pipeline's records come from.
package protocol RecordSource: Sendable {
    /// What it consists of, in the order in which it is read.
    var inputs: [InputFile] { get }

    /// Opens one of the inputs.
    ///
    /// - Parameter offset: where to begin, in bytes of the input as it lies there.
    func open(_ input: InputFile, at offset: UInt64) throws(InputError) -> any InputBytes

    /// The regular file that an input is, if it is one: nothing may be written over it.
    func file(of input: InputFile) throws(InputError) -> FileIdentity?
}

/// A source that pipeline files name by its key in `source`. One type an end.
package protocol DeclaredSource: RecordSource {
    static var declaration: Declaration { get }

    /// Takes the argument that the declaration's shape has let pass; reports what cannot be read.
    init?(_ argument: Argument, options: Arguments, _ checking: inout Checking)
}

/// The bytes of an input, in order. Called by one job at a time.
package protocol InputBytes: AnyObject {
    /// Bytes of the whole input, where known.
    var size: UInt64? { get }

    /// Fills the memory with the next bytes: how many, 0 at the end, or a negative `errno`.
    func read(into memory: UnsafeMutableRawBufferPointer) -> Int

    func close()
}
