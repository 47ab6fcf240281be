/// What a line of an access log should have had at a byte.
struct AccessLogFault: Error {
    enum Expectation: UInt8 {
        case spaceAfterIP, spaceAfterIdent, timeAfterUser, time, request, quote, spaceAfterRequest, status, bytes, referer, spaceAfterReferer, agent
        case end, utf8
    }

    var address: UInt
    var expectation: Expectation

    @inline(__always)
    init(_ expectation: Expectation, at position: UnsafePointer<UInt8>) {
        address = UInt(bitPattern: position)
        self.expectation = expectation
    }

    /// `expected '[' behind the user at byte 17, found 'x'`; bytes are counted from 0.
    func message(in text: UnsafeBufferPointer<UInt8>) -> String {
        let offset = Int(clamping: address &- UInt(bitPattern: text.baseAddress))
        guard offset < text.count else { return "expected \(expectation.words) at byte \(text.count), where the record ends" }
        let place = "at byte \(offset), found \(JSONFault.name(ofByte: text[offset]))"
        return expectation == .utf8 ? "invalid UTF-8 \(place)" : "expected \(expectation.words) \(place)"
    }
}

extension AccessLogFault.Expectation {
    fileprivate var words: String {
        switch self {
        case .spaceAfterIP: "an address and a space"
        case .spaceAfterIdent: "an identity and a space"
        case .timeAfterUser: "a user, a space and '['"
        case .time: "a time like [10/Oct/2025:13:55:36 +0000] and a space"
        case .request: "'\"' before the request"
        case .quote: "a closing quote"
        case .spaceAfterRequest: "a space behind the request"
        case .status: "a status of three digits and a space"
        case .bytes: "a number of bytes or '-'"
        case .referer: "a space and '\"' before the referer"
        case .spaceAfterReferer: "a space behind the referer"
        case .agent: "'\"' before the agent"
        case .end: "the end of the record"
        case .utf8: "valid UTF-8"
        }
    }
}
