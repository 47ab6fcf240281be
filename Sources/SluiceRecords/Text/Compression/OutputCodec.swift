/// The compression of an output, derived from its file extension.
package enum OutputCodec: String, Sendable {
    case gzip = "gz"
    case zstd = "zst"

    /// A complete file without text.
    var empty: [UInt8] {
        switch self {
        case .gzip: MemberAssembly.empty
        case .zstd: ZstdOutputs.empty
        }
    }
}
