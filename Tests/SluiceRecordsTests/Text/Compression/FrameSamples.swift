import CBzip2
import CLZMA
import CZstd
import Testing

@testable import SluiceRecords

/// A compression format of frames, and functions that create inputs of it.
enum FrameSample: String, CaseIterable {
    case zstd, bzip2, xz

    var name: String { "test." + ["zstd": "zst", "bzip2": "bz2", "xz": "xz"][rawValue, default: ""] }

    /// A single frame, with checksums.
    func frame(_ text: [UInt8]) -> [UInt8] {
        switch self {
        case .zstd: Self.zstd(text)
        case .bzip2:
            Self.filled(text.count + text.count / 50 + 1024) { output in
                var count = UInt32(output.count)
                var input = text.map { CChar(bitPattern: $0) }
                let result = output.withMemoryRebound(to: CChar.self) { BZ2_bzBuffToBuffCompress($0.baseAddress, &count, &input, UInt32(text.count), 1, 0, 0) }
                precondition(result == BZ_OK, "bzip2 compresses")
                return Int(count)
            }
        case .xz:
            Self.filled(text.count * 2 + 1024) { output in
                var count = 0
                let result = lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, nil, text, text.count, output.baseAddress, &count, output.count)
                precondition(result == LZMA_OK, "xz compresses")
                return count
            }
        }
    }

    static func zstd(_ text: [UInt8], level: Int32 = 1, checksum: Bool = true, windowLog: Int32 = 0) -> [UInt8] {
        filled(ZSTD_compressBound(text.count) + 64) { output in
            guard let context = ZSTD_createCCtx() else { preconditionFailure("no memory") }
            defer { ZSTD_freeCCtx(context) }
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
            ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0)
            if windowLog > 0 { ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog) }
            return ZSTD_compress2(context, output.baseAddress, output.count, text, text.count)
        }
    }

    private static func filled(_ capacity: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            buffer.initialize(repeating: 0)
            count = fill(buffer)
        }
    }

    static func lines(_ range: Range<Int>) -> [UInt8] { range.flatMap { Array("line \($0), of a log \($0 &* 2_654_435_761 % 9973)\n".utf8) } }

    func read(_ bytes: [UInt8], onDamage: DamagePolicy = .salvage, chunk: Int = 256 << 10, most: Int = 256 << 10, name: String? = nil) throws -> ReadAll {
        try ReadAll(bytes, onDamage: onDamage, chunk: chunk, most: most, name: name ?? self.name)
    }
}
