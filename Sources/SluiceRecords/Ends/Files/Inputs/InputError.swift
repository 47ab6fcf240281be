/// Why an input cannot be read. Each message names the thing, the place and, if there is one, the
/// fix.
package enum InputError: Error, Equatable, Sendable, CustomStringConvertible {
    case missing(path: String)
    /// - Parameter passedOver: sentences about matches that are not files.
    case noMatch(pattern: String, passedOver: [String] = [])
    case badPattern(pattern: String, reason: String)
    case folder(path: String)
    case unreadable(path: String, reason: String)
    /// What is behind an address cannot be fetched, or has changed.
    case fetch(address: String, reason: String, mayPass: Bool = false)
    /// Its first bytes belong to a compression or an archive format that is not supported.
    case unsupported(path: String, compression: String)
    /// The same of a file in an archive.
    case unsupportedInside(path: String, compression: String)
    /// It was to be read as an archive.
    case notArchive(path: String)
    /// The input is damaged and the policy is ``DamagePolicy/fail``.
    case damaged(path: String, Damage)
    /// The policy is ``DamagePolicy/setAside``, and the input can be read only once.
    case readOnce(path: String)
    /// A record that the reader refused could not be spilled.
    case spill(path: String, reason: String)

    package var description: String {
        switch self {
        case .missing(let path) where Address.isAddress(path): "\(path): no such object"
        case .missing(let path): "\(path): no such file"
        case .fetch(let address, let reason, _): "\(address) cannot be read: \(reason)"
        case .noMatch(let pattern, let passedOver): (["no file matches '\(pattern)'"] + passedOver).joined(separator: "; ")
        case .badPattern(let pattern, let reason): "'\(pattern)' is not a valid pattern: \(reason)"
        case .folder(let path): "\(path) is a folder; give its files: \(path.hasSuffix("/") ? path : path + "/")*"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .unsupported(let path, OtherCompression.tar): "\(path) is a tar archive; 'archive: tar' in the source reads the files in it"
        case .unsupported(let path, let archive) where ["zip", "7z", "rar"].contains(archive):
            "\(path): \(archive) archives are not supported yet; unpack it and give its files"
        case .unsupported(let path, let compression): "\(path): \(compression) is not supported yet; gzip, zstd, bzip2, xz and plain text are"
        case .unsupportedInside(let path, let compression):
            "\(path): \(compression) inside an archive is not supported; leave the file out with 'exclude', or unpack the archive"
        case .notArchive(let path): "\(path) is not a tar archive; remove 'archive: tar', or leave the file out with 'exclude'"
        case .damaged(let path, let damage): "\(path)@\(damage.offset): \(damage.kind.sentence) (member \(damage.member))"
        case .readOnce(let path):
            "\(path): 'on_damage: set_aside' reads each input twice, which a pipe does not allow; write it to a file first, or use 'salvage'"
        case .spill(let path, let reason): "a refused record cannot be stored in \(path): \(reason)"
        }
    }
}

extension Damage.Kind {
    /// A description for users.
    package var sentence: String {
        switch self {
        case .truncated: "the compressed data ends too early"
        case .corrupt: "the compressed data is corrupt"
        case .header: "no member begins here, or its header is damaged"
        case .crc: "the text differs from what was compressed: wrong checksum"
        case .length: "the text differs from what was compressed: wrong length"
        case .trailingGarbage: "nonzero bytes after the last member"
        case .readError: "reading the input failed, or another program shortened it meanwhile"
        case .tarHeader: "no file of the tar archive begins here, or its header is damaged"
        case .tarTruncated: "the tar archive ends too early"
        case .tarGarbage: "nonzero bytes after the end of the tar archive"
        case .bomb: "a single record is far larger than its compressed data, like a decompression bomb"
        }
    }
}

/// What to do with damaged input.
public enum DamagePolicy: String, Sendable, CaseIterable {
    /// Deliver every whole record before the damage, continue at the next member, and report the
    /// loss.
    case salvage
    /// End the run and publish nothing.
    case fail
    /// As ``salvage``, but check each member before any of its records is delivered, and give the
    /// records of one that fails to the dead letters. Decompresses every input twice; an input
    /// must be a file.
    case setAside = "set_aside"
}
