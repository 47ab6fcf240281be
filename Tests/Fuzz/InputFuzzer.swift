import Foundation
import SluiceCEL

@testable import SluiceRecords

/// Reads bytes as an input of any compression, encoding and framing, twice, in pieces of different
/// sizes.
///
/// What is read must not depend on the pieces; records are in order, within their batch, and not
/// over the size limit; and the members that a first pass finds unsound are the same. Joined, what
/// came out, was set aside or is on record as lost must give back the text, which is the input if
/// that is plain. What damage has lost lies in the input, and not twice. Where one library finds no
/// damage in gzip, nor must the other.
struct InputFuzzer: Fuzzer {
    static let name = "input"

    /// The framings; the first byte selects one, and the damage policy; the third the encoding.
    private let framings: [Framing]
    private let folder: String

    init() {
        let joined = [Self.joined(.starts, "^[a-z0-9]"), Self.joined(.continues, #"^\s|^\}"#)]
        framings = [.lines, .documents(path: []), .documents(path: ["a", "b"]), .syslog] + joined + FormatFuzzer.formats.map(\.framing)
        folder = NSTemporaryDirectory() + "sluice-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    }

    private static func joined(_ lines: Multiline.Lines, _ pattern: String) -> Framing {
        guard let pattern = try? Pattern(pattern) else { preconditionFailure("'\(pattern)' is no pattern") }
        return .multiline(Multiline(lines, pattern))
    }

    /// Hexadecimal digits of compressed `one\ntwo\n`, made by gzip, zstd, bzip2 and xz.
    private static let compressed = [
        "1f8b08000000000000ffcbcf4be52a29cfe7020096c5ce0308000000", "28b52ffd0008410000" + "6f6e650a74776f0a",
        "425a6839314159265359" + "f41e5a5c000001c980001010026c0020002100c4032868180bb9229c28487a0f2d2e00",
        "fd377a585a000004e6d6b446" + "020021010c0000008f98419c0100076f6e650a74776f0a00" + "51ab9eaf57757049" + "00012008bb19d9bb"
            + "1fb6f37d010000000004595a",
    ]

    var seeds: [[UInt8]] {
        let texts = [
            "one\ntwo\n", "{\"a\":{\"b\":[1,{\"c\":2}]}}\n[{},{}]", "a,b\n1,\"2\n3\"\n", "5 <1>1\n<34>1 - - - - - - x\n", "a\n b\n\n}\nc\n",
        ].map { Array($0.utf8) }
        let bytes = texts + Self.compressed.map(Self.bytes)
        let twice = bytes + [Self.bytes(Self.compressed[0] + Self.compressed[0]), Self.bytes(Self.compressed[0] + "0000" + Self.compressed[0])]
        let framed: [[UInt8]] = (0..<UInt8(framings.count)).flatMap { first -> [[UInt8]] in twice.map { [first, 40, 0] + $0 } }
        let wide: [[UInt8]] = [
            [0xFF, 0xFE, 0x61, 0, 0x0A, 0, 0x3D, 0xD8, 0, 0xDE], [0xFE, 0xFF, 0, 0x61, 0, 0x0A, 0xD8, 0x3D], [0x61, 0xE9, 0x0A, 0xFF],
        ]
        return framed + TextEncoding.allCases.indices.flatMap { encoding in wide.map { [0, 40, UInt8(encoding)] + $0 } }
    }

    private static func bytes(_ digits: String) -> [UInt8] {
        stride(from: 0, to: digits.utf8.count, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
    }

    func run(_ bytes: [UInt8]) {
        guard bytes.count > 3 else { return }
        var configuration = BatchReader.Configuration(spillFolder: folder)
        configuration.framing = framings[Int(bytes[0] & 0x3F) % framings.count]
        configuration.onDamage = bytes[0] & 0x40 == 0 ? .salvage : .setAside
        configuration.library = bytes[0] & 0x80 == 0 ? .isal : .zlib
        configuration.maxRecord = bytes[1] < 128 ? 8 + Int(bytes[1]) : 1 << 20
        configuration.encoding = TextEncoding.allCases[Int(bytes[2]) % TextEncoding.allCases.count]
        let input = Array(bytes.dropFirst(3))
        let whole = read(input, configuration, piece: .max, inflateAtMost: 256 << 10)
        let pieces = read(input, configuration, piece: 1 + Int(bytes[1]) % 7, inflateAtMost: 1 + Int(bytes[1]) % 50)
        require(whole == pieces, "read in pieces: \(pieces)\nat once: \(whole)")
        check(whole, of: input, configuration)
    }

    private func check(_ found: ReadInput, of input: [UInt8], _ configuration: BatchReader.Configuration) {
        guard let account = account(of: input, configuration, configuration.library) else { return }
        guard found.error == nil else { return }
        require(found.summary?.textBytes == UInt64(account.text.count), "\(account.text.count) bytes of text in the books: \(found.summary as Any)")
        account.check(found, configuration.framing)
        var end: UInt64 = 0
        for damage in account.damage where damage.lostBytes > 0 {
            require(damage.offset >= end && damage.offset + damage.lostBytes <= input.count, "lost twice, or not of the input: \(account.damage)")
            end = damage.offset + damage.lostBytes
        }
        let other = self.account(of: input, configuration, configuration.library == .isal ? .zlib : .isal)
        guard account.damage.isEmpty || other?.damage.isEmpty == true else { return }
        require(other?.damage == account.damage && other?.text == account.text, "the libraries differ: \(account)\n\(String(describing: other))")
    }

    /// The text of the input; `nil` if it has none.
    private func account(of input: [UInt8], _ configuration: BatchReader.Configuration, _ library: DeflateLibrary) -> TextAccount? {
        let bytes = PieceBytes(input, .max)
        let window = InputWindow { bytes.read(into: $0) }
        let file = InputFile(path: "in", size: UInt64(input.count))
        let compression = Compression.detect(in: window, name: file.path, encoding: configuration.encoding)
        guard let source = try? InputText(of: file, as: compression, in: window, library: library, size: bytes.size).source else { return nil }
        let account = TextAccount(of: configuration.encoding == .utf8 ? source : DecodedText(source, configuration.encoding))
        if compression.isNone, configuration.encoding == .utf8 { require(account.text == input, "the text is not the input") }
        return account
    }

    private func read(_ input: [UInt8], _ configuration: BatchReader.Configuration, piece: Int, inflateAtMost most: Int) -> ReadInput {
        var found = ReadInput()
        let file = InputFile(path: "in", size: UInt64(input.count))
        do throws(InputError) {
            var unsound = UnsoundMembers()
            if configuration.onDamage == .setAside {
                unsound = try configuration.unsoundMembers(of: file, in: PieceBytes(input, piece), as: nil)
            }
            let bytes = PieceBytes(input, piece)
            let reader = try BatchReader(
                file, index: 0, configuration: configuration, buffers: BufferPool(capacity: 4096, most: 2),
                window: InputWindow { bytes.read(into: $0) }, bytes: bytes, inflateAtMost: most, unsound: unsound.members)
            defer { reader.close() }
            while let batch = try reader.next() { found.add(batch, maxRecord: configuration.maxRecord) }
            found.summary = reader.summary
        } catch {
            found.error = error
        }
        return found
    }
}
