import CCrypto
import Glibc
import SluiceCEL

/// The replacement of a value.
enum Redaction: Sendable {
    case mask
    case hash(HMACKey)
    case remove
    case network(v4: Int, v6: Int)

    init?(_ keys: Arguments, _ checking: inout Checking) {
        guard let with = keys["with"]?.leaf else { return nil }
        if with.text != "hash", let key = keys["key"]?.place { checking.report("'key' is only for 'with: hash'", at: key, fix: "remove it") }
        for name in ["v4", "v6"] where with.text != "network" {
            if let place = keys[name]?.place { checking.report("'\(name)' is only for 'with: network'", at: place, fix: "remove it") }
        }
        switch with.text {
        case "mask": self = .mask
        case "hash":
            guard let secret = Self.secret(keys["key"]?.leaf, with, &checking) else { return nil }
            self = .hash(HMACKey(secret))
        case "network": self = .network(v4: keys["v4"]?.integer ?? 24, v6: keys["v6"]?.integer ?? 48)
        default: self = .remove
        }
    }

    private static func secret(_ leaf: Leaf?, _ with: Leaf, _ checking: inout Checking) -> [UInt8]? {
        guard let leaf else {
            checking.report("'with: hash' needs a 'key'", at: with.place, fix: "write 'key: env:REDACT_KEY', and set it in the environment")
            return nil
        }
        guard leaf.isComplete else { return nil }
        guard leaf.text.hasPrefix("env:") else {
            if leaf.text.isEmpty { checking.report("the 'key' is empty", at: leaf.place, fix: "write 'key: env:REDACT_KEY'") }
            return leaf.text.isEmpty ? nil : Array(leaf.text.utf8)
        }
        let name = String(leaf.text.dropFirst(4))
        guard let value = getenv(name), value.pointee != 0 else {
            checking.report(
                "the environment variable '\(name)' is not set", at: leaf.place, fix: "set it to a secret, such as the output of: openssl rand -hex 32")
            return nil
        }
        return Array(String(cString: value).utf8)
    }
}

/// Replaces values, or parts of text. Not for concurrent use.
final class Redactor {
    typealias Text = UnsafeBufferPointer<UInt8>

    private let change: Redaction
    private let pattern: Pattern?
    private let hasher: HMACHasher?
    private let buffer = ByteBuffer(capacity: 1024)
    private let json = ByteBuffer(capacity: 1024)
    private let captures = UnsafeMutableBufferPointer<Pattern.Capture>.allocate(capacity: 1)

    init(_ change: Redaction, _ pattern: Pattern?) {
        self.change = change
        self.pattern = pattern
        if case .hash(let key) = change { hasher = HMACHasher(key) } else { hasher = nil }
        captures.initialize(repeating: .unmatched)
    }

    deinit {
        captures.deallocate()
    }

    /// The replacement of a value. Absent and null cells are unchanged.
    func cell(_ cell: Cell, _ scratch: Scratch) -> Cell {
        if cell.kind == .absent || cell.kind == .null { return cell }
        buffer.count = 0
        guard pattern != nil else {
            let text = WrittenKey.plain(cell, scratch)
            if text.kind == .string || text.kind == .bytes {
                replace(text.textBytes)
            } else {
                json.count = 0
                JSONText.write(text, scratch, to: json)
                json.withFilled { replace($0) }
            }
            return scratch.text(.string, copying: buffer.filled)
        }
        let plain = WrittenKey.plain(cell, scratch)
        switch plain.kind {
        case .string, .bytes: return replaceMatches(in: plain.textBytes) ? scratch.text(plain.kind, copying: buffer.filled) : cell
        case .json:
            json.count = 0
            return writeJSON(plain.textBytes, to: json) ? scratch.text(.json, copying: json.filled) : cell
        default: return cell
        }
    }

    /// Appends the replacement of the text.
    private func replace(_ text: Text) {
        switch change {
        case .mask: buffer.append("***")
        case .remove: break
        case .hash: hasher?.appendHex(of: text, to: buffer)
        case .network(let v4, let v6):
            guard let address = IPAddress(utf8: text),
                let network = IPNetwork(address: address, prefixLength: address.isV4 ? v4 : v6)
            else { return buffer.append("***") }
            var shown = network.masked.address.description
            shown.withUTF8 { buffer.append($0) }
        }
    }

    /// Appends the text to the buffer with all matches replaced.
    ///
    /// - Returns: whether there was a match; if not, the buffer is unchanged.
    private func replaceMatches(in text: Text) -> Bool {
        guard let pattern, pattern.matches(text) else { return false }
        var copied = 0
        pattern.forEachMatch(in: text, groups: 0) { captures in
            guard captures[0].count > 0 else { return true }
            buffer.append(Text(rebasing: text[copied..<captures[0].start]))
            replace(Text(rebasing: text[captures[0].range]))
            copied = captures[0].end
            return true
        }
        buffer.append(Text(rebasing: text[copied...]))
        return true
    }

    /// Writes JSON text with all matches in its strings replaced, except in keys.
    ///
    /// - Parameter text: must be valid JSON.
    /// - Returns: whether there was a match.
    func writeJSON(_ text: Text, to output: ByteBuffer) -> Bool {
        guard let start = text.baseAddress else { return false }
        let end = start + text.count
        var (place, copied, hasMatch) = (start, start, false)
        while place < end {
            guard place.pointee == UInt8(ascii: "\"") else {
                place += 1
                continue
            }
            let open = place
            guard let (close, isEscaped) = string(place + 1, end) else { break }
            place = close + 1
            // A string followed by a colon is a key.
            if JSONScan.space(place, end) < end, JSONScan.space(place, end).pointee == UInt8(ascii: ":") { continue }
            guard replaceMatches(from: open + 1, to: close, isEscaped) else { continue }
            hasMatch = true
            output.append(Text(start: copied, count: open - copied))
            buffer.withFilled { JSONText.write($0, to: output) }
            copied = place
        }
        output.append(Text(start: copied, count: end - copied))
        return hasMatch
    }

    private func string(_ start: JSONScan.Place, _ end: JSONScan.Place) -> (close: JSONScan.Place, isEscaped: Bool)? {
        do throws(JSONFault) {
            return try JSONScan.string(start, end)
        } catch {
            return nil
        }
    }

    private func replaceMatches(from start: JSONScan.Place, to close: JSONScan.Place, _ isEscaped: Bool) -> Bool {
        buffer.count = 0
        guard isEscaped else { return replaceMatches(in: Text(start: start, count: close - start)) }
        var text = JSONValue.string(start, close, true)
        return text.withUTF8 { replaceMatches(in: $0) }
    }
}

/// A key of HMAC-SHA-256 (RFC 2104), padded to the length of a block.
struct HMACKey: Sendable {
    fileprivate let block: [UInt8]

    init(_ secret: [UInt8]) {
        var block = secret
        if block.count > 64 {
            var sum = [UInt8](repeating: 0, count: 32)
            secret.withUnsafeBufferPointer { secret in
                if EVP_Digest(secret.baseAddress, secret.count, &sum, nil, EVP_sha256(), nil) != 1 { fatalError("libcrypto has no SHA-256") }
            }
            block = sum
        }
        self.block = block + Array(repeating: 0, count: 64 - block.count)
    }
}

/// HMAC-SHA-256 with one key.
///
/// Unsafe memory: the contexts belong to this object from `init` to `deinit`. Not for concurrent
/// use.
final class HMACHasher {
    /// The states after the inner and the outer padded key.
    private let inner: OpaquePointer
    private let outer: OpaquePointer
    private let working: OpaquePointer
    private var sum = [UInt8](repeating: 0, count: 32)

    init(_ key: HMACKey) {
        inner = Self.context(key.block.map { $0 ^ 0x36 })
        outer = Self.context(key.block.map { $0 ^ 0x5C })
        working = Self.context([])
    }

    deinit {
        for context in [inner, outer, working] { EVP_MD_CTX_free(context) }
    }

    private static func context(_ block: [UInt8]) -> OpaquePointer {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, EVP_DigestUpdate(context, block, block.count) == 1
        else { fatalError("libcrypto has no SHA-256") }
        return context
    }

    /// A digest that depends on the key alone.
    var proof: String {
        let buffer = ByteBuffer(capacity: 64)
        Array("the key of a redact stage".utf8).withUnsafeBufferPointer { appendHex(of: $0, to: buffer) }
        return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
    }

    func appendHex(of text: UnsafeBufferPointer<UInt8>, to buffer: ByteBuffer) {
        guard EVP_MD_CTX_copy_ex(working, inner) == 1, EVP_DigestUpdate(working, text.baseAddress, text.count) == 1,
            EVP_DigestFinal_ex(working, &sum, nil) == 1, EVP_MD_CTX_copy_ex(working, outer) == 1, EVP_DigestUpdate(working, sum, 32) == 1,
            EVP_DigestFinal_ex(working, &sum, nil) == 1
        else { fatalError("libcrypto refused bytes for SHA-256") }
        for byte in sum {
            for digit in [byte >> 4, byte & 15] { buffer.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
        }
    }
}
