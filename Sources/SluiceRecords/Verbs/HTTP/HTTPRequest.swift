import SluiceCEL

/// A request, ready to be sent.
struct HTTPRequest: Sendable, Equatable {
    struct Header: Sendable, Equatable {
        var name: String
        var value: String
        /// Whether it must not be sent to another server that this one redirects to.
        var isConfidential: Bool
    }

    var method: HTTP.Method
    var url: String
    var address: HTTPAddress
    var headers: [Header] = []
    var body: [UInt8]?

    /// The request that follows a redirect.
    ///
    /// - Parameter status: 301, 302, 303, 307 or 308.
    func redirected(to url: String, at address: HTTPAddress, status: Int) -> HTTPRequest {
        var next = self
        next.url = url
        next.address = address
        if address != self.address { next.headers.removeAll(where: \.isConfidential) }
        guard status == 303 && method != .head || (status == 301 || status == 302) && method == .post else { return next }
        next.method = .get
        next.body = nil
        next.headers.removeAll { $0.name.lowercased() == "content-type" }
        return next
    }
}

/// How the request of a record is made.
struct HTTPTemplate: Sendable {
    struct Header: Sendable {
        var name: String
        var value: TextTemplate
        var isConfidential: Bool
    }

    let url: TextTemplate
    let method: HTTP.Method
    let headers: [Header]
    let body: CellProgram?

    init?(_ keys: Arguments, _ checking: inout Checking) {
        let errors = checking.errorCount
        let url = keys["url"]?.leaf.flatMap { Self.url($0, &checking) }
        body = keys["body"]?.leaf.flatMap { checking.program($0, "'body'") }
        headers = Self.headers(keys["headers"]?.entries ?? [], &checking)
        let method = keys["method"]?.leaf
        self.method = method.flatMap { HTTP.Method(rawValue: $0.text) } ?? (keys["body"] == nil ? .get : .post)
        if self.method == .head, let place = keys["body"]?.place {
            checking.report("a HEAD request has no body", at: place, fix: "remove 'body', or use another method")
        }
        guard checking.errorCount == errors, let url else { return nil }
        self.url = url
    }

    private static func url(_ leaf: Leaf, _ checking: inout Checking) -> TextTemplate? {
        guard let template = TextTemplate(leaf, "'url'", &checking) else { return nil }
        var outline = ""
        for (index, piece) in template.pieces.enumerated() {
            switch piece {
            case .text(let text), .secret(let text): outline += text
            case .value where index == 0: return template
            case .value: outline += "1"
            }
        }
        if let problem = HTTPAddress.problem(with: outline) {
            let fix =
                problem.contains("password")
                ? "send them in a header: {authorization: 'Basic env:CREDENTIALS'}" : "write an address: 'https://geo.example/v1/{ip}'"
            checking.report("'url' \(problem)", at: leaf.place, fix: fix)
            return nil
        }
        return template
    }

    private static func headers(_ entries: [(key: Leaf, value: Argument)], _ checking: inout Checking) -> [Header] {
        var headers: [Header] = []
        var names: [String] = []
        for entry in entries {
            let name = entry.key.text
            let lower = name.lowercased()
            if !isToken(name) {
                checking.report("'\(name)' cannot be the name of a header", at: entry.key.place, fix: "use letters, digits and '-'")
            } else if own.contains(lower) {
                checking.report("the header '\(name)' cannot be set", at: entry.key.place, fix: "remove it; it is set as needed")
            } else if names.contains(lower) {
                checking.report("the header '\(name)' is there twice", at: entry.key.place, fix: "remove one; case does not matter in names of headers")
            }
            names.append(lower)
            guard let leaf = entry.value.leaf, let value = TextTemplate(leaf, "'\(name)'", takesSecrets: true, &checking) else { continue }
            headers.append(Header(name: name, value: value, isConfidential: confidential.contains(lower) || !value.secrets.isEmpty))
        }
        return headers
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#""(),/:;<=>?@[\]{}"#.utf8.contains($0) }
    }

    /// Headers that describe the connection or the framing of the request.
    private static let own = ["content-length", "transfer-encoding", "connection", "accept-encoding", "expect", "upgrade", "te", "trailer", "keep-alive"]

    private static let confidential = ["authorization", "proxy-authorization", "cookie"]

    var mentions: [String] { url.mentions + headers.flatMap(\.value.mentions) + (body?.fieldNames ?? []) }

    /// Values that no message may contain.
    var secrets: [String] { headers.flatMap(\.value.secrets) }

    func bound(in fields: RecordFields) -> Bound {
        Bound(
            method: method, url: url.bound(in: fields),
            headers: headers.map { Bound.Header(name: $0.name, value: $0.value.bound(in: fields), isConfidential: $0.isConfidential) },
            body: body.map { BoundProgram($0, in: fields) })
    }

    /// The template bound to one place.
    struct Bound: Sendable {
        struct Header: Sendable {
            var name: String
            var value: TextTemplate.Bound
            var isConfidential: Bool
        }

        let method: HTTP.Method
        let url: TextTemplate.Bound
        let headers: [Header]
        let body: BoundProgram?

        /// The requests of the batch's rows, in order, or why a record has none.
        func requests(for batch: RecordBatch) -> [Result<HTTPRequest, RecordFailure>] {
            let url = url.evaluation(over: batch)
            let headers = headers.map { ($0, $0.value.evaluation(over: batch)) }
            let body = body.map { ($0, $0.evaluation(over: batch)) }
            let buffer = ByteBuffer(capacity: 1024)
            return batch.rows.map { row in
                do throws(RecordFailure) {
                    return .success(try request(Int(row), batch, url, headers, body, buffer))
                } catch {
                    return .failure(error)
                }
            }
        }

        private func request(
            _ row: Int, _ batch: RecordBatch, _ url: TextTemplate.Evaluation, _ headers: [(Header, TextTemplate.Evaluation)],
            _ body: (BoundProgram, BoundProgram.Evaluation)?, _ buffer: ByteBuffer
        ) throws(RecordFailure) -> HTTPRequest {
            guard let text = try url.text(row, encode: PercentEncoding.component) else { throw Self.failure("'url' has an empty value") }
            let address: HTTPAddress
            switch HTTPAddress.read(text) {
            case .address(let read): address = read
            // What comes before an @ may be a password.
            case .problem(let problem) where text.contains("@"): throw Self.failure("'url' \(problem)")
            case .problem(let problem): throw Self.failure("'url' \(problem): \(HTTPFailure.excerpt(Array(text.utf8), most: 80))")
            }
            var request = HTTPRequest(method: method, url: text, address: address)
            for (header, value) in headers {
                guard let value = try value.text(row) else { continue }
                guard !value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
                    throw Self.failure("the value of the header '\(header.name)' contains a control character")
                }
                request.headers.append(HTTPRequest.Header(name: header.name, value: value, isConfidential: header.isConfidential))
            }
            guard let (program, evaluate) = body else { return request }
            let cell = evaluate(row)
            if cell.kind == .error { throw program.failure(row, of: batch) }
            add(cell, to: &request, batch.scratch, buffer)
            return request
        }

        private func add(_ cell: Cell, to request: inout HTTPRequest, _ scratch: Scratch, _ buffer: ByteBuffer) {
            let type: String
            switch cell.kind {
            case .absent: return
            case .string, .bytes:
                request.body = Array(cell.textBytes)
                type = cell.kind == .string ? "text/plain; charset=utf-8" : "application/octet-stream"
            default:
                buffer.count = 0
                JSONText.write(cell, scratch, to: buffer)
                request.body = buffer.withFilled(Array.init)
                type = "application/json"
            }
            let name = "content-type"
            guard !request.headers.contains(where: { $0.name.lowercased() == name }) else { return }
            request.headers.append(HTTPRequest.Header(name: name, value: type, isConfidential: false))
        }

        private static func failure(_ message: String) -> RecordFailure {
            RecordFailure(code: HTTPFailure.Code.request.rawValue, message: message)
        }
    }
}

extension Checking {
    fileprivate var errorCount: Int { diagnostics.count { $0.severity == .error } }
}
