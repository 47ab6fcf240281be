// Unsafe memory: libcurl's parser of addresses, a handle that is freed before each function
// returns, as is every text that it gives.

import CCurl

/// The part of an address that decides which connection is used: `https://geo.example:443`.
struct HTTPAddress: Sendable, Hashable {
    var scheme: HTTP.Scheme
    /// In lower case.
    var host: String
    var port: String

    /// For messages.
    var place: String { "\(host):\(port)" }

    enum Reading {
        case address(HTTPAddress)
        /// The reason why it is none, after the name of the text.
        case problem(String)
    }

    static func read(_ text: String, allowsCredentials: Bool = false) -> Reading {
        if let problem = HTTPLibrary.problem { return .problem("cannot be read: \(problem)") }
        guard let handle = ccurl_url() else { return .problem("cannot be read: no memory") }
        defer { ccurl_url_cleanup(handle) }
        let code = ccurl_url_set(handle, CURLUPART_URL, text, 0)
        guard code == CURLUE_OK else { return .problem(code == CURLUE_UNSUPPORTED_SCHEME ? Self.wrongScheme : "is not an address") }
        guard let scheme = part(handle, CURLUPART_SCHEME).flatMap(HTTP.Scheme.init) else { return .problem(wrongScheme) }
        guard allowsCredentials || part(handle, CURLUPART_USER) == nil && part(handle, CURLUPART_PASSWORD) == nil else {
            return .problem("contains a name or password")
        }
        guard let host = part(handle, CURLUPART_HOST), !host.isEmpty, let port = part(handle, CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)) else {
            return .problem("names no host")
        }
        return .address(HTTPAddress(scheme: scheme, host: host.lowercased(), port: port))
    }

    /// Why the text is no address, after the name of the text; `nil` if it is one.
    static func problem(with text: String, allowsCredentials: Bool = false) -> String? {
        guard case .problem(let problem) = read(text, allowsCredentials: allowsCredentials) else { return nil }
        return problem
    }

    private static let wrongScheme = "must begin with http:// or https://"

    private static func part(_ handle: OpaquePointer, _ part: CURLUPart, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard ccurl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { ccurl_free(text) }
        return String(cString: text)
    }
}

/// libcurl, which is loaded the first time that ``problem`` is read. Nothing of it may be used
/// before.
enum HTTPLibrary {
    /// Why it cannot be used.
    static let problem: String? = ccurl_load().map { "libcurl cannot be loaded: \(String(cString: $0))" }
}

/// Text in addresses.
enum PercentEncoding {
    /// Encodes all but letters, digits and `-._~`, so that the value is one part of an address.
    static func component(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}
