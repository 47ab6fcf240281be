import CCurl
import Glibc

/// Why a request has no answer that can be used.
struct HTTPFailure: Error, Sendable, Equatable {
    enum Code: String, Sendable {
        case timeout
        /// The record has values that no request can be made of.
        case request = "http.request"
        /// There is no connection, or it ended before the end of the answer.
        case connection = "http.connection"
        /// The server could not be authenticated, or the connection not be encrypted.
        case tls = "http.tls"
        /// What came is not an HTTP answer.
        case protocolFault = "http.protocol"
        case status = "http.status"
        case redirect = "http.redirect"
        case tooLong = "http.too_long"
        case json = "http.json"
        case text = "http.text"
        /// No task waits for the answer any more, or the run is ending.
        case cancelled
    }

    var code: Code
    var message: String
    /// Whether another attempt may succeed.
    var isTemporary = false
    /// How long the server asked to wait before another attempt.
    var wait: Duration?

    static let givenUp = HTTPFailure(code: .cancelled, message: "cancelled")

    /// Status codes that say that the same request may succeed later: timeout of the server, too
    /// early, too many requests, and every failure of the server itself.
    static func isTemporary(status: Int) -> Bool { [408, 425, 429].contains(status) || (500...599).contains(status) }

    /// The beginning of a text as quoted text on one line.
    static func excerpt(_ bytes: [UInt8], most: Int = 200) -> String {
        var shown = String(decoding: bytes.prefix(most), as: UTF8.self).unicodeScalars
        // A character that was cut is no replacement character of the text's own.
        if bytes.count > most, shown.last == "\u{FFFD}" { shown.removeLast() }
        let line = shown.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate, .privateUse, .unassigned: " "
            default: String(scalar)
            }
        }.joined()
        return "'\(line)\(bytes.count > most ? "…" : "")'"
    }
}

extension HTTPFailure {
    /// Describes a failed transfer. Messages contain no times and nothing else that differs from
    /// run to run.
    init(_ code: CURLcode, of transfer: HTTPTransfer) {
        let address = transfer.request.address
        let place = address.place
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            self.init(code: .timeout, message: "no answer in \(transfer.limit.inWords)", isTemporary: true)
        case CURLE_COULDNT_RESOLVE_HOST:
            self.init(code: .connection, message: "no such host '\(address.host)'", isTemporary: true)
        case CURLE_COULDNT_RESOLVE_PROXY:
            self.init(code: .connection, message: "no such host for the proxy", isTemporary: true)
        case CURLE_COULDNT_CONNECT:
            let reason = transfer.systemError.map { String(cString: strerror($0)) }
            self.init(code: .connection, message: "no connection to \(place)\(reason.map { ": \($0)" } ?? "")", isTemporary: true)
        case CURLE_GOT_NOTHING:
            self.init(code: .connection, message: "\(place) ended the connection without an answer", isTemporary: true)
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE:
            self.init(code: .connection, message: "the connection to \(place) ended before the end of the answer", isTemporary: true)
        case CURLE_SSL_CONNECT_ERROR:
            self.init(code: .tls, message: "no TLS connection to \(place): \(transfer.explanation)", isTemporary: true)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_INVALIDCERTSTATUS:
            self.init(code: .tls, message: "\(place) cannot be authenticated: \(transfer.explanation)")
        case CURLE_WRITE_ERROR where transfer.isTooLong:
            self.init(code: .tooLong, message: "the answer is longer than \(transfer.longestAnswer) bytes")
        case CURLE_WRITE_ERROR where transfer.hasTooManyHeaders:
            self.init(code: .protocolFault, message: "the answer has more than \(HTTPTransfer.mostHeaderBytes) bytes of headers")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            self.init(code: .protocolFault, message: "what \(place) sent is not an HTTP answer")
        default:
            self.init(code: .protocolFault, message: "\(place): \(String(cString: ccurl_easy_strerror(code)))")
        }
    }

    /// An answer with a status code that is a failure.
    init(status: Int, body: [UInt8], retryAfter: Int) {
        let text = body.isEmpty ? "" : ": \(Self.excerpt(body))"
        self.init(
            code: .status, message: "status \(status)\(text)", isTemporary: Self.isTemporary(status: status),
            wait: retryAfter > 0 ? .seconds(retryAfter) : nil)
    }
}

/// Texts that must not be shown.
enum Secrets {
    /// The text with `***` in place of each secret.
    static func masked(_ text: [UInt8], _ secrets: [String]) -> [UInt8] {
        var result = text
        for secret in secrets.sorted(by: { $0.utf8.count > $1.utf8.count }) where !secret.isEmpty {
            let bytes = Array(secret.utf8)
            var index = 0
            while let found = result[index...].firstRange(of: bytes) {
                result.replaceSubrange(found, with: Array("***".utf8))
                index = found.lowerBound + 3
            }
        }
        return result
    }
}
