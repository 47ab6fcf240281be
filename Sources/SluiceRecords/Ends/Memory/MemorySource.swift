import SluiceCEL

/// Inputs in memory, compressed or not, as in files: for tests of pipelines and for programs.
/// Pipeline files cannot name it.
package struct MemorySource: RecordSource {
    package let inputs: [InputFile]
    private let contents: [Name: [UInt8]]

    /// - Precondition: names are unique, and none is `-`.
    package init(_ inputs: KeyValuePairs<String, [UInt8]>) {
        self.init(named: inputs.map { ($0.key, $0.value) })
    }

    /// Creates a source of named inputs in the given order.
    package init(named inputs: [(name: String, bytes: [UInt8])]) {
        self.inputs = inputs.map { InputFile(path: $0.name, size: UInt64($0.bytes.count)) }
        contents = Dictionary(uniqueKeysWithValues: inputs.map { (Name($0.name), $0.bytes) })
        precondition(self.inputs.allSatisfy { !$0.isStandardInput }, "an input in memory cannot be named '-'")
    }

    package func open(_ input: InputFile, at offset: UInt64) throws(InputError) -> any InputBytes {
        guard let bytes = contents[Name(input.path)] else { throw .missing(path: input.path) }
        return MemoryBytes(bytes, at: offset)
    }

    package func file(of input: InputFile) -> FileIdentity? { nil }
}

/// `@unchecked Sendable`: used by one job at a time, but for ``read(at:into:)``, which changes
/// nothing.
private final class MemoryBytes: InputBytes, @unchecked Sendable {
    private let bytes: [UInt8]
    private var rest: ArraySlice<UInt8>
    let size: UInt64?

    init(_ bytes: [UInt8], at offset: UInt64) {
        self.bytes = bytes
        size = UInt64(bytes.count)
        rest = bytes.dropFirst(Int(min(offset, UInt64(bytes.count))))
    }

    func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        let piece = rest.prefix(memory.count)
        memory.copyBytes(from: piece)
        rest = rest.dropFirst(piece.count)
        return piece.count
    }

    func read(at offset: UInt64, into memory: UnsafeMutableRawBufferPointer) -> Bool {
        guard offset <= UInt64(bytes.count), memory.count <= bytes.count - Int(offset) else { return false }
        memory.copyBytes(from: bytes[Int(offset)..<Int(offset) + memory.count])
        return true
    }

    func close() { rest = [] }
}
