import Glibc
public import Sluice
import SluiceCEL

/// `http`: sends a request for each record, and takes the answer into fields of the record.
package struct HTTP: Verb {
    package static let declaration = Declaration(
        "http", "sends an HTTP request for each record, and takes the answer into fields",
        argument: .keys([
            ArgumentKey(
                "url", .text, isRequired: true, example: "url: 'https://geo.example/v1/{ip}'",
                "the address; values in braces are percent-encoded, except at the beginning"),
            ArgumentKey(
                "method", .choice(Method.allCases.map(\.rawValue)), example: "method: PUT", "the method; by default GET, with a `body` POST"),
            ArgumentKey(
                "headers", .entries(key: .text, value: .text), example: "headers: {authorization: 'Bearer env:GEO_TOKEN'}",
                "headers of the request; may contain expressions in braces, and the word `env:NAME` for a secret from the environment"),
            ArgumentKey("body", .expression, example: "body: record", "the body: text as it is, any other value as JSON"),
            ArgumentKey(
                "as",
                .short(
                    .newField, for: "json",
                    in: [
                        ArgumentKey("json", .newField, example: "json: geo", "a field for the body, parsed as JSON"),
                        ArgumentKey("text", .newField, example: "text: page", "a field for the body as text"),
                        ArgumentKey("status", .newField, example: "status: code", "a field for the status code"),
                        ArgumentKey("headers", .newField, example: "headers: answer_headers", "a field for the headers, as a map with names in lower case"),
                    ]), example: "as: geo", "where to put the answer; without it, the record stays as it is"),
            ArgumentKey(
                "accept", .list(.integer(300...599), isSet: true), example: "accept: [404]",
                "status codes, besides 200 to 299, that are answers and not failures"),
            ArgumentKey("redirects", .integer(0...20), default: "5", example: "redirects: 0", "how many redirects to follow"),
            ArgumentKey("max_answer", .size(1...(1 << 30)), default: "1MiB", example: "max_answer: 16MiB", "the longest body of an answer, decompressed"),
            ArgumentKey(
                "connections", .integer(1...4096), example: "connections: 4", "how many requests to one host at once; by default as many as workers"),
            ArgumentKey(
                "ca_file", .text, example: "ca_file: ca.pem",
                "certificates of authorities (PEM) to trust instead of the system's, for https"),
            ArgumentKey("proxy", .text, example: "proxy: 'http://proxy.example:3128'", "a proxy; by default none, whatever the environment says"),
            ArgumentKey(
                "max_retry_after", .duration, default: "60s", example: "max_retry_after: 10m",
                "the longest wait before a retry that a server can ask for with Retry-After"),
        ]),
        example: "http: {url: 'https://geo.example/v1/{ip}', as: geo}",
        elsewhere: ["http_client", "fetch", "request", "curl", "rest", "webhook", "url"])

    enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case head = "HEAD"
        case options = "OPTIONS"

        /// Whether a request without a body says that its body is empty.
        var expectsBody: Bool { self == .post || self == .put || self == .patch }
    }

    /// The schemes of addresses; no other is ever used.
    enum Scheme: String, CaseIterable {
        case http
        case https
    }

    private let template: HTTPTemplate
    private let targets: HTTPTargets
    private let settings: HTTPOptions

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys else { return nil }
        if let problem = HTTPLibrary.problem {
            checking.report(problem, at: keys["url"]?.place, fix: "install it: libcurl4 on Debian and Ubuntu")
            return nil
        }
        let template = HTTPTemplate(keys, &checking)
        let settings = HTTPOptions(keys, &checking)
        targets = HTTPTargets(keys["as"], &checking)
        if template?.method == .head, targets.needsBody {
            checking.report("the answer to a HEAD request has no body", at: keys["as"]?.place, fix: "take the status: {status: code}")
        }
        guard let template, let settings else { return nil }
        self.template = template
        self.settings = settings
    }

    package var mentions: [String] { template.mentions + targets.names }
    package var reads: [String] { template.mentions }
    package var callsOthers: Bool { true }
    /// So that with the standard limits there is room for 128 KiB for each answer.
    package var mostRecords: Int? { 512 }
    package var files: [String] { settings.authorities.map { [$0] } ?? [] }

    package func makeStep(_ stage: RecordStage) -> Step {
        .each(HTTPStep(template, targets, settings, stage))
    }
}

/// The fields that take the parts of an answer.
struct HTTPTargets: Sendable {
    var json: String?
    var text: String?
    var status: String?
    var headers: String?

    init(_ argument: Argument?, _ checking: inout Checking) {
        let keys = argument?.keys
        var taken: [String] = []
        func name(_ key: String, _ type: CELType) -> String? {
            guard let leaf = keys?[key]?.leaf else { return nil }
            if leaf.text.index(in: taken) != nil {
                checking.report("two parts of the answer go to the field '\(leaf.text)'", at: leaf.place, fix: "give each its own field")
            }
            taken.append(leaf.text)
            checking.fields.set(leaf.text, type: type)
            return leaf.text
        }
        json = name("json", .dyn)
        text = name("text", .string)
        status = name("status", .int)
        headers = name("headers", .map(.string, .string))
    }

    var names: [String] { [json, text, status, headers].compactMap(\.self) }
    var needsBody: Bool { json != nil || text != nil }
}

/// How requests are made.
struct HTTPOptions: Sendable {
    var accepted: Set<Int>
    var redirects: Int
    var longestAnswer: Int
    /// `nil`: as many as workers.
    var connections: Int?
    /// The path of a file with certificates.
    var authorities: String?
    var proxy: String?
    var longestRetryAfter: Duration

    /// Of a client that sends secrets: every status is an answer, and nothing is followed.
    init(longestAnswer: Int) {
        (accepted, redirects, self.longestAnswer, longestRetryAfter) = (Set(300...599), 0, longestAnswer, .zero)
    }

    init?(_ keys: Arguments, _ checking: inout Checking) {
        accepted = Set(keys["accept"]?.list?.compactMap(\.integer) ?? [])
        redirects = keys["redirects"]?.integer ?? 5
        longestAnswer = keys["max_answer"]?.integer ?? 1 << 20
        connections = keys["connections"]?.integer
        authorities = keys["ca_file"]?.leaf?.text
        proxy = keys["proxy"]?.leaf?.text
        longestRetryAfter = keys["max_retry_after"]?.duration ?? .seconds(60)
        let count = checking.diagnostics.count
        if let leaf = keys["ca_file"]?.leaf, leaf.isComplete, access(leaf.text, R_OK) != 0 {
            checking.report("'ca_file': cannot read '\(leaf.text)'", at: leaf.place, fix: "name a file of certificates in PEM format")
        }
        if let leaf = keys["proxy"]?.leaf, leaf.isComplete, let problem = HTTPAddress.problem(with: leaf.text, allowsCredentials: true) {
            checking.report("'proxy' \(problem)", at: leaf.place, fix: "write the proxy's address: http://proxy.example:3128")
        }
        guard checking.diagnostics.count == count else { return nil }
    }
}

extension Records {
    /// What becomes of an answer: the fields that take its parts.
    public struct Answer: Sendable {
        /// The body, parsed as JSON.
        public var json: String?
        /// The body as text.
        public var text: String?
        /// The status code.
        public var status: String?
        /// The headers, as a map.
        public var headers: String?

        public init(json: String? = nil, text: String? = nil, status: String? = nil, headers: String? = nil) {
            self.json = json
            self.text = text
            self.status = status
            self.headers = headers
        }
    }

    /// Sends an HTTP request for each record, and takes the answer into fields. See docs/http.md.
    ///
    /// - Parameters:
    ///   - url: may contain expressions in braces.
    ///   - method: by default GET, with a body POST.
    ///   - headers: values may contain expressions in braces, and `env:NAME` for a secret.
    ///   - body: an expression; text is sent as it is, any other value as JSON.
    ///   - answer: without it, the records stay as they are.
    ///   - accept: status codes, besides 200 to 299, that are answers and not failures.
    ///   - redirects: how many redirects to follow.
    ///   - maxAnswer: the longest body of an answer, in bytes, decompressed.
    ///   - connections: how many requests to one host at once; by default as many as workers.
    ///   - authorities: the path of a file of certificates to trust instead of the system's.
    ///   - proxy: the address of a proxy; by default none, whatever the environment says.
    ///   - maxRetryAfter: the longest wait before a retry that a server can ask for.
    ///   - workers: the number of requests at once.
    ///   - timeout: the limit for each attempt; 30 seconds by default.
    ///   - retry: further attempts at a request that failed and may succeed later.
    public func http(
        _ url: String, method: String? = nil, headers: KeyValuePairs<String, String> = [:], body: String? = nil, as answer: Answer? = nil,
        accept: [Int] = [], redirects: Int = 5, maxAnswer: Int = 1 << 20, connections: Int? = nil, authorities: String? = nil,
        proxy: String? = nil, maxRetryAfter: Duration = .seconds(60), name: String? = nil, workers: Concurrency = 1, timeout: Duration? = nil,
        retry: RetryPolicy? = nil, onError: FailurePolicy = .deadLetter
    ) -> Records {
        let pool = PoolOptions(workers: workers.range, timeout: timeout, retry: retry)
        return adding(HTTP.self, name, pool: pool, onError: onError) { script in
            var keys = ["url": script.argument(url), "redirects": .integer(redirects, script.place), "max_answer": .integer(maxAnswer, script.place)]
            keys["max_retry_after"] = .duration(maxRetryAfter, script.place)
            keys["connections"] = connections.map { .integer($0, script.place) }
            keys["proxy"] = proxy.map { script.argument($0) }
            keys["method"] = method.map { script.argument($0) }
            if !headers.isEmpty { keys["headers"] = script.argument(headers) }
            keys["body"] = body.map { script.argument($0) }
            if !accept.isEmpty { keys["accept"] = .list(accept.map { .integer($0, script.place) }, script.place) }
            keys["ca_file"] = authorities.map { script.argument($0) }
            if let answer {
                var parts: [String: Argument] = [:]
                parts["json"] = answer.json.map { script.argument($0) }
                parts["text"] = answer.text.map { script.argument($0) }
                parts["status"] = answer.status.map { script.argument($0) }
                parts["headers"] = answer.headers.map { script.argument($0) }
                keys["as"] = .keys(Arguments(parts))
            }
            return .keys(Arguments(keys))
        }
    }
}
