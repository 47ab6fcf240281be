/// What was expected at a byte of an access log's line.
struct AccessLogFault: Error {
    enum Expectation: UInt8 {
        case address, identity, user, timeAfterUser, time, request, quote, spaceAfterRequest, status, bytes, referer, spaceAfterReferer, agent
        case end, utf8, nul, host
        /// Something comes before the address.
        case prefix
    }

    var address: UInt
    var expectation: Expectation

    @inline(__always)
    init(_ expectation: Expectation, at position: UnsafePointer<UInt8>) {
        address = UInt(bitPattern: position)
        self.expectation = expectation
    }

    /// `expected '[' after the user at byte 17, found 'x'`; bytes are counted from 0.
    func message(in text: UnsafeBufferPointer<UInt8>) -> String {
        let offset = Int(clamping: address &- UInt(bitPattern: text.baseAddress))
        guard offset < text.count else { return "expected \(expectation.words) at byte \(text.count), where the record ends" }
        let place = "at byte \(offset), found \(JSONFault.name(ofByte: text[offset]))"
        switch expectation {
        case .utf8: return "invalid UTF-8 \(place)"
        case .nul: return "a NUL at byte \(offset)"
        case .prefix: return "unexpected text before the address, such as a virtual host or a syslog header"
        default: return "expected \(expectation.words) \(place)"
        }
    }
}

extension AccessLogFault.Expectation {
    fileprivate var words: String {
        switch self {
        case .address: "an address and a space"
        case .identity: "an identity and a space"
        case .user: "a user name"
        case .timeAfterUser: "a user, a space and '['"
        case .time: "a time like [10/Oct/2025:13:55:36 +0000] and a space"
        case .request: "'\"' before the request"
        case .quote: "a closing quote"
        case .spaceAfterRequest: "a space after the request"
        case .status: "a status of three digits and a space"
        case .bytes: "a number of bytes or '-'"
        case .referer: "a space and '\"' before the referer"
        case .spaceAfterReferer: "a space after the referer"
        case .agent: "'\"' before the agent"
        case .end: "the end of the record"
        case .utf8: "valid UTF-8"
        case .nul: "no NUL"
        case .prefix: "an address"
        case .host: "a virtual host and a space"
        }
    }
}
