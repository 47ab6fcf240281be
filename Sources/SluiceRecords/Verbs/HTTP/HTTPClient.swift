import SluiceCEL

/// Sends requests to one server, such as that of a run's dashboard, on the connections and with the
/// limits of the `http` verb. No proxy is used, and no redirect followed: what is sent may be
/// secret.
package final class HTTPClient: Sendable {
    /// Why there is no answer, or why it is a refusal.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        package var description: String
        /// The status code of a refusal.
        package var status: Int?

        package init(_ description: String, status: Int? = nil) { (self.description, self.status) = (description, status) }
    }

    /// Of an answer, in bytes.
    private static let longest = 16 << 20

    private let base: String
    private let address: HTTPAddress
    private let token: String?
    private let loop: HTTPLoop

    /// - Parameters:
    ///   - address: of the server, with `http:` or `https:`. What comes after its path is ignored,
    ///     except for `token`, which is sent in a header instead: servers write down addresses.
    ///   - timeout: the time for each request.
    /// - Throws: ``Failure`` if it is not an address.
    package init(_ address: String, timeout: Duration) throws(Failure) {
        let parts = address.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var base = String(parts.first ?? "").split(separator: "#").first.map(String.init) ?? ""
        while base.hasSuffix("/") { base.removeLast() }
        switch HTTPAddress.read(base) {
        case .problem(let problem): throw Failure("'\(base)' \(problem)")
        case .address(let address): self.address = address
        }
        self.base = base
        let query = parts.count > 1 ? parts[1].split(separator: "#").first ?? "" : ""
        let token = query.split(separator: "&").first { $0.hasPrefix("token=") }?.dropFirst("token=".count)
        guard token?.allSatisfy({ $0.isASCII && !$0.isWhitespace && !$0.isNewline }) != false else {
            throw Failure("the token in the address is not one of a dashboard")
        }
        self.token = token.map(String.init)
        let options = HTTPOptions(longestAnswer: Self.longest)
        loop = HTTPLoop(HTTPLoop.Configuration(options: options, workers: 4, timeout: timeout, secrets: [self.token].compactMap(\.self)))
    }

    deinit { loop.abandon() }

    /// For messages.
    package var place: String { address.place }

    /// - Parameter path: after the server's, with a slash.
    /// - Returns: the body of the answer.
    package func get(_ path: String) async throws(Failure) -> [UInt8] { try await ask(.get, path, nil) }

    /// - Parameter json: the body.
    package func post(_ path: String, _ json: String) async throws(Failure) -> [UInt8] { try await ask(.post, path, Array(json.utf8)) }

    private func ask(_ method: HTTP.Method, _ path: String, _ body: [UInt8]?) async throws(Failure) -> [UInt8] {
        var headers = [HTTPRequest.Header(name: "Accept", value: "application/json", isConfidential: false)]
        if body != nil { headers.append(HTTPRequest.Header(name: "Content-Type", value: "application/json", isConfidential: false)) }
        if let token { headers.append(HTTPRequest.Header(name: "Authorization", value: "Bearer \(token)", isConfidential: true)) }
        let request = HTTPRequest(method: method, url: base + path, address: address, headers: headers, body: body)
        switch await loop.ask(request) {
        case .failure(let failure): throw Failure(failure.message)
        case .success(let answer):
            guard (200...299).contains(answer.status) else { throw Failure(Self.reason(answer), status: answer.status) }
            return answer.body
        }
    }

    /// The sentence of a refusal: `{"error": {"code": "stage", "message": "no such stage"}}`, or,
    /// of other servers, `{"error": "no such stage"}`.
    private static func reason(_ answer: HTTPAnswer) -> String {
        let value = answer.body.withUnsafeBufferPointer { try? JSONReader().value(ofJSON: $0) }
        if case .map(let map)? = value {
            if case .string(let text)? = map["error"] { return text }
            if case .map(let problem)? = map["error"], case .string(let text)? = problem["message"] { return text }
        }
        return answer.body.isEmpty ? "status \(answer.status)" : "status \(answer.status): \(HTTPFailure.excerpt(answer.body))"
    }
}
