/// How an output is compressed, by the ending of its name.
package enum OutputCodec: String, Sendable {
    case gzip = "gz"
    case zstd = "zst"

    /// A whole file without text.
    var empty: [UInt8] {
        switch self {
        case .gzip: MemberAssembly.empty
        case .zstd: ZstdOutputs.empty
        }
    }
}
