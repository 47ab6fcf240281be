// Unsafe memory: libcurl calls `takeBody` and `takeHeader` on the loop's thread, with bytes that
// are valid during the call, and with the transfer that it was given. The table keeps the transfer
// alive until libcurl has let go of it.

import CCurl

/// An answer to a request, whatever its status code.
struct HTTPAnswer: Sendable, Equatable {
    var status: Int
    /// In the order of the answer, with names in lower case.
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    /// The size of its body and its headers.
    var byteCount: Int { headers.reduce(body.count) { $0 + $1.name.utf8.count + $1.value.utf8.count } }

    static func == (left: HTTPAnswer, right: HTTPAnswer) -> Bool {
        left.status == right.status && left.body == right.body && left.headers.elementsEqual(right.headers, by: ==)
    }
}

/// One attempt at a request, including the redirects that it follows. Confined to the thread of its
/// loop.
final class HTTPTransfer {
    typealias Instant = ContinuousClock.Instant

    /// The limit for all headers of one answer.
    static let mostHeaderBytes = 256 << 10
    /// The part of a body that is kept for messages.
    private static let excerptBytes = 4 << 10

    let question: HTTPQuestion
    private let options: HTTPOptions
    private let keepsBody: Bool
    private let secrets: [String]
    private(set) var request: HTTPRequest
    /// The server that the handle is configured for.
    private(set) var address: HTTPAddress
    private let easy: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let explanationBuffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    /// The time limit of the attempt, and when it ends.
    let limit: Duration
    private let deadline: Instant
    private(set) var followed = 0
    private var body: [UInt8] = []
    private var bodyBytes = 0
    private var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private(set) var isTooLong = false
    private(set) var hasTooManyHeaders = false

    var longestAnswer: Int { options.longestAnswer }

    /// - Parameter easy: a handle without settings, which this object configures but does not own.
    init(_ question: HTTPQuestion, _ configuration: HTTPLoop.Configuration, easy: UnsafeMutableRawPointer, now: Instant) {
        self.question = question
        options = configuration.options
        keepsBody = configuration.keepsBody
        secrets = configuration.secrets
        limit = configuration.timeout
        self.easy = easy
        request = question.request
        address = question.request.address
        deadline = now + limit
    }

    deinit {
        ccurl_slist_free(headerList)
        explanationBuffer.deallocate()
    }

    /// Prepares the handle for the current request.
    func configure(now: Instant) {
        address = request.address
        ccurl_easy_reset(easy)
        ccurl_slist_free(headerList)
        headerList = nil
        (body, bodyBytes, headers, headerBytes, isTooLong, hasTooManyHeaders) = ([], 0, [], 0, false, false)
        explanationBuffer.initialize(repeating: 0)
        let left = max(deadline - now, .milliseconds(1))
        _ = ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        _ = ccurl_set_quick_exit(easy)
        _ = ccurl_set_protocols(easy)
        _ = ccurl_set_text(easy, CURLOPT_URL, request.url)
        _ = ccurl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        _ = ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        _ = ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, left.wholeMilliseconds)
        _ = ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, left.wholeMilliseconds)
        _ = ccurl_set_text(easy, CURLOPT_ACCEPT_ENCODING, "gzip")
        // An empty text: no proxy, and the environment is not asked either.
        _ = ccurl_set_text(easy, CURLOPT_PROXY, options.proxy ?? "")
        _ = ccurl_set_text(easy, CURLOPT_NOPROXY, "")
        _ = ccurl_set_text(easy, CURLOPT_USERAGENT, "sluice")
        if let authorities = options.authorities { _ = ccurl_set_text(easy, CURLOPT_CAINFO, authorities) }
        _ = ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, explanationBuffer.baseAddress)
        setMethod()
        setHeaders()
        let own = Unmanaged.passUnretained(self).toOpaque()
        _ = ccurl_set_pointer(easy, CURLOPT_PRIVATE, own)
        _ = ccurl_set_pointer(easy, CURLOPT_WRITEDATA, own)
        _ = ccurl_set_pointer(easy, CURLOPT_HEADERDATA, own)
        _ = ccurl_set_write(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, transfer in
            HTTPTransfer.from(transfer)?.takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
        }
        _ = ccurl_set_write(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, transfer in
            HTTPTransfer.from(transfer)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
        }
    }

    /// The transfer of a handle, or of a callback.
    static func from(_ pointer: UnsafeMutableRawPointer?) -> HTTPTransfer? {
        pointer.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func setMethod() {
        let method = request.method
        if let body = request.body ?? (method.expectsBody ? [] : nil) {
            _ = ccurl_set_long(easy, CURLOPT_POST, 1)
            _ = ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            // The bytes are copied. They need not end with a NUL, since their number is known.
            (body + [0]).withUnsafeBytes { bytes in
                _ = ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            }
            if method != .post { _ = ccurl_set_text(easy, CURLOPT_CUSTOMREQUEST, method.rawValue) }
        } else if method == .head {
            _ = ccurl_set_long(easy, CURLOPT_NOBODY, 1)
        } else {
            _ = ccurl_set_long(easy, CURLOPT_HTTPGET, 1)
            if method != .get { _ = ccurl_set_text(easy, CURLOPT_CUSTOMREQUEST, method.rawValue) }
        }
    }

    private func setHeaders() {
        // A header without a value is left out by libcurl, one with a semicolon is sent empty.
        var lines = ["Expect:"]
        if request.body == nil { lines.append("Content-Type:") }
        lines += request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        for line in lines { headerList = ccurl_slist_append(headerList, line) ?? headerList }
        _ = ccurl_set_list(easy, CURLOPT_HTTPHEADER, headerList)
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        bodyBytes += bytes.count
        guard bodyBytes <= longestAnswer else {
            isTooLong = true
            return bytes.count == 0 ? 1 : 0
        }
        let room = keepsBody ? bytes.count : max(0, Self.excerptBytes - body.count)
        body.append(contentsOf: bytes.prefix(room))
        return bytes.count
    }

    private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        headerBytes += bytes.count
        guard headerBytes <= Self.mostHeaderBytes else {
            hasTooManyHeaders = true
            return bytes.count == 0 ? 1 : 0
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // Of an interim answer, or of a proxy's.
            headers = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].filter { !$0.isNewline }
            headers.append((line[..<colon].lowercased(), String(value.drop(while: \.isBlank).reversed().drop(while: \.isBlank).reversed())))
        }
        return bytes.count
    }

    /// The end of an attempt.
    enum End {
        case done(Result<HTTPAnswer, HTTPFailure>)
        /// The answer was a redirect, and the handle is to be configured for the next request.
        case redirected
    }

    /// What the transfer's end means.
    func ended(_ code: CURLcode) -> End {
        let status = long(CURLINFO_RESPONSE_CODE)
        let isAccepted = (200...299).contains(status) || options.accepted.contains(status)
        guard code == CURLE_OK || status >= 300 && !isAccepted && code != CURLE_OPERATION_TIMEDOUT else {
            return .done(.failure(HTTPFailure(code, of: self)))
        }
        if isAccepted { return .done(.success(HTTPAnswer(status: status, headers: headers, body: body))) }
        if [301, 302, 303, 307, 308].contains(status), options.redirects > 0, let target = text(CURLINFO_REDIRECT_URL) {
            if let failure = redirect(to: target, status) { return .done(.failure(failure)) }
            return .redirected
        }
        let shown = Secrets.masked(Array(body.prefix(Self.excerptBytes)), secrets)
        return .done(.failure(HTTPFailure(status: status, body: shown, retryAfter: size(CURLINFO_RETRY_AFTER))))
    }

    private func redirect(to target: String, _ status: Int) -> HTTPFailure? {
        followed += 1
        guard followed <= options.redirects else {
            return HTTPFailure(code: .redirect, message: "more than \(options.redirects) redirects")
        }
        switch HTTPAddress.read(target) {
        case .problem(let problem):
            return HTTPFailure(code: .redirect, message: "status \(status): the address that it redirects to \(problem)")
        case .address(let address):
            if request.address.scheme == .https, address.scheme == .http {
                return HTTPFailure(code: .redirect, message: "status \(status): redirects from https to http")
            }
            request = request.redirected(to: target, at: address, status: status)
            return nil
        }
    }

    /// The reason of the system why there is no connection, as a number.
    var systemError: Int32? {
        let number = long(CURLINFO_OS_ERRNO)
        return number == 0 ? nil : Int32(truncatingIfNeeded: number)
    }

    /// libcurl's own explanation.
    var explanation: String {
        let text = explanationBuffer.baseAddress.map { String(cString: $0) } ?? ""
        return text.isEmpty ? "no reason given" : text
    }

    private func long(_ info: CURLINFO) -> Int {
        var value = 0
        return ccurl_get_long(easy, info, &value) == CURLE_OK ? value : 0
    }

    private func size(_ info: CURLINFO) -> Int {
        var value: curl_off_t = 0
        return ccurl_get_size(easy, info, &value) == CURLE_OK ? Int(value) : 0
    }

    private func text(_ info: CURLINFO) -> String? {
        var value: UnsafeMutablePointer<CChar>?
        guard ccurl_get_text(easy, info, &value) == CURLE_OK, let value else { return nil }
        return String(cString: value)
    }
}

extension Duration {
    /// At least 1, and no more than libcurl's limit.
    fileprivate var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(max(1, min(seconds, 1_000_000_000) * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}

extension Character {
    fileprivate var isBlank: Bool { self == " " || self == "\t" }
}
