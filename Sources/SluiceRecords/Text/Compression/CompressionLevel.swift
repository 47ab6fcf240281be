/// The trade-off between time and size of a compressed output. zstd has its own levels (``zstd``);
/// those of gzip are:
///
/// | written | with ISA-L | without |
/// | --- | --- | --- |
/// | `fast`, `1` | ISA-L 1 | zlib 1 |
/// | `default` | ISA-L 1 | zlib 2 |
/// | `2`, `3` | ISA-L 2, 3 | zlib 2, 3 |
/// | `4` to `9`, `best` (9) | zlib 4 to 9 | zlib 4 to 9 |
/// | `0` | zlib 0 (stored) | zlib 0 |
///
/// ISA-L 1 takes a tenth of the time of zlib 6 and writes a sixth more bytes; no level of ISA-L
/// compresses as well as zlib 4. Without ISA-L, zlib 2 is closest to its level 1: outputs of the
/// same size within 4 % (7 % for very regular logs), written at 170 to 200 MB/s per core. zlib 1 is
/// 3 to 10 % faster and 5 % larger; zlib 6 writes 70 MB/s and a sixth fewer bytes.
public struct CompressionLevel: Hashable, Sendable {
    /// The fastest.
    public static let fast = CompressionLevel(zlib: 1, isal: 1)
    /// Close to the fastest; smaller without ISA-L.
    public static let standard = CompressionLevel(zlib: 2, isal: 1)
    /// The smallest, many times slower.
    public static let best = CompressionLevel(zlib: 9, isal: nil)

    let zlib: Int32
    /// ISA-L's level; `nil` if zlib is the better choice even where ISA-L is available.
    let isal: Int32?

    /// - Parameter number: from 0, which stores the text as it is, to 9, as in zlib.
    public init(_ number: Int) {
        precondition((0...9).contains(number), "there is no compression level \(number)")
        self.init(zlib: Int32(number), isal: (1...3).contains(number) ? Int32(number) : nil)
    }

    /// - Parameter text: `fast`, `default`, `best` or `0` to `9`.
    package init?(_ text: some StringProtocol) {
        switch text {
        case "fast": self = .fast
        case "default": self = .standard
        case "best": self = .best
        default:
            guard text.count == 1, let number = Int(text) else { return nil }
            self.init(number)
        }
    }

    /// The zstd level for the same trade-off: `default` is 3, the default of zstd.
    var zstd: Int32 { self == .standard ? 3 : max(1, zlib) }

    /// As a pipeline file names it.
    var name: String { Self.names.first { CompressionLevel($0) == self } ?? "\(zlib)" }

    /// Every way to write a level.
    package static let names = ["fast", "default", "best"] + (0...9).map(String.init)

    private init(zlib: Int32, isal: Int32?) {
        (self.zlib, self.isal) = (zlib, isal)
    }
}
