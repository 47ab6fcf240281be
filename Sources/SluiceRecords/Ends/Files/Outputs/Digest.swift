import CCrypto
import Glibc
import SluiceCEL

/// An incremental SHA-256.
///
/// Unsafe memory: the context belongs to this object from `init` to `deinit`. One owner at a time.
package final class Digest {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { fatalError("libcrypto has no SHA-256") }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    func update(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { fatalError("libcrypto refused bytes for SHA-256") }
    }

    /// Adds the bytes of a file from its current position to its end.
    ///
    /// - Returns: false if it cannot be read, and `errno` says why.
    /// The digest of a file in hexadecimal; `nil` if it cannot be read.
    package static func of(file path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let digest = Digest()
        return digest.update(fromFile: descriptor) ? digest.hex : nil
    }

    func update(fromFile descriptor: Int32) -> Bool {
        let piece = ByteBuffer(capacity: 1 << 20)
        while true {
            let count = read(descriptor, piece.start, piece.capacity)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 }
            piece.count = count
            update(piece.filled)
        }
    }

    /// The digest of the bytes so far, in 64 hexadecimal digits. More bytes may follow.
    var hex: String {
        var sum = [UInt8](repeating: 0, count: 32)
        guard let copy = EVP_MD_CTX_new() else { Memory.refused() }
        defer { EVP_MD_CTX_free(copy) }
        guard EVP_MD_CTX_copy_ex(copy, context) == 1, EVP_DigestFinal_ex(copy, &sum, nil) == 1 else {
            fatalError("libcrypto refused to finish SHA-256")
        }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: sum.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func of(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        let digest = Digest()
        digest.update(bytes)
        return digest.hex
    }

    package static func of(_ text: String) -> String {
        var text = text
        return text.withUTF8 { of($0) }
    }

    static func ofFile(_ path: String) throws(InputError) -> String { try Digest(ofFile: path).hex }

    /// Begins with the current bytes of a file; more may follow.
    convenience init(ofFile path: String) throws(InputError) {
        self.init()
        let descriptor = try InputDescriptor(InputFile(path: path))
        let piece = ByteBuffer(capacity: 1 << 20)
        while true {
            let count = descriptor.read(into: UnsafeMutableRawBufferPointer(start: piece.start, count: piece.capacity))
            guard count >= 0 else { throw .unreadable(path: path, reason: describe(error: Int32(-count))) }
            if count == 0 { return }
            piece.count = count
            update(piece.filled)
        }
    }
}
