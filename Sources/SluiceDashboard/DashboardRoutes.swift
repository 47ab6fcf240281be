import FoundationEssentials

/// An answer in full.
package struct DashboardResponse: Sendable, Equatable {
    package var status: Int
    package var type = "application/json; charset=utf-8"
    /// Beyond those that all responses have.
    package var fields: [String: String] = [:]
    package var body: [UInt8]
    /// Whether the connection ends with it.
    package var isLast = false

    static func error(_ status: Int, _ code: String, _ message: String, fields: [String: String] = [:]) -> DashboardResponse {
        struct Body: Encodable {
            struct Problem: Encodable {
                var code: String
                var message: String
            }
            var error: Problem
        }
        return DashboardResponse(status: status, fields: fields, body: json(Body(error: Body.Problem(code: code, message: message))))
    }

    /// Of values that can always be encoded.
    static func json(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            return Array("{}\n".utf8)
        }
    }
}

/// What becomes of a request.
package enum DashboardAnswer: Sendable, Equatable {
    case response(DashboardResponse)
    /// The stream of events, after the one with this name.
    case events(after: String?)
}

/// Decides who may ask, and answers.
package struct DashboardRoutes: Sendable {
    private let token: DashboardToken
    /// Whether the server listens on this machine alone.
    private let isLoopback: Bool
    private let content: any DashboardContent

    package init(token: DashboardToken, isLoopback: Bool, content: any DashboardContent) {
        (self.token, self.isLoopback, self.content) = (token, isLoopback, content)
    }

    /// - Parameter event: the name of the newest event.
    package func answer(_ request: DashboardRequest, event: String) -> DashboardAnswer {
        // A page from elsewhere whose name leads here has another name in its requests.
        if isLoopback, !Self.isLocal(request.host) {
            return .response(.error(421, "host", "the address must have this machine's own name: 127.0.0.1 or localhost", fields: ["connection": "close"]).last)
        }
        guard let guess = request.token, token.matches(guess) else {
            return .response(.error(401, "token", "the token is missing or wrong", fields: ["www-authenticate": "Bearer"]).last)
        }
        switch (request.path, request.method) {
        case ("/events", .get): return .events(after: request.lastEventID ?? request.query["after"])
        case ("/", .get), ("/", .head): return .response(made("text/html; charset=utf-8", fields: Self.pageFields) { try content.page(after: event) })
        case ("/samples", .get), ("/samples", .head): return .response(made { try content.samples() })
        case ("/status", .get), ("/status", .head): return .response(made { try content.status() })
        case ("/metrics", .get), ("/metrics", .head): return .response(made("text/plain; version=0.0.4; charset=utf-8") { try content.metrics() })
        case ("/drain", .post), ("/resize", .post):
            guard Self.isOwn(request.origin, host: request.host) else {
                return .response(.error(403, "origin", "only the dashboard's own page, or a program, can do that"))
            }
            return .response(request.path == "/drain" ? drain() : resize(request.body))
        case ("/", _), ("/samples", _), ("/status", _), ("/metrics", _), ("/events", _):
            return .response(.error(405, "method", "\(request.path) can be read with GET", fields: ["allow": "GET, HEAD"]))
        case ("/drain", _), ("/resize", _):
            return .response(.error(405, "method", "\(request.path) takes POST", fields: ["allow": "POST"]))
        default:
            return .response(.error(404, "path", "there are /, /events, /samples, /status, /metrics, /drain and /resize"))
        }
    }

    /// What the page's own policy, an element of it, cannot say.
    private static let pageFields = ["content-security-policy": "frame-ancestors 'none'", "x-frame-options": "DENY"]

    private func made(
        _ type: String = "application/json; charset=utf-8", fields: [String: String] = [:], _ make: () throws -> [UInt8]
    ) -> DashboardResponse {
        do {
            return DashboardResponse(status: 200, type: type, fields: fields, body: try make())
        } catch {
            return .error(500, "fault", "\(error)")
        }
    }

    private func drain() -> DashboardResponse {
        do throws(DashboardRefusal) {
            try content.drain()
        } catch {
            return .error(error.status, error.code, error.message)
        }
        return DashboardResponse(status: 202, body: DashboardResponse.json(["state": "draining"]))
    }

    private struct Resizing: Codable {
        var stage: String
        var workers: Int
    }

    private func resize(_ body: [UInt8]) -> DashboardResponse {
        let wanted: Resizing
        do {
            wanted = try JSONDecoder().decode(Resizing.self, from: Data(body))
        } catch {
            return .error(400, "body", #"the body must be {"stage": NAME, "workers": N}"#)
        }
        do throws(DashboardRefusal) {
            try content.resize(wanted.stage, to: wanted.workers)
            return DashboardResponse(status: 200, body: DashboardResponse.json(wanted))
        } catch {
            return .error(error.status, error.code, error.message)
        }
    }

    /// Whether a `Host` names this machine.
    static func isLocal(_ host: String?) -> Bool {
        guard var name = host?[...] else { return false }
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]"), name[name.index(after: end)...].isPort else { return false }
            return name[...end] == "[::1]"
        }
        if let colon = name.firstIndex(of: ":") {
            guard name[colon...].isPort else { return false }
            name = name[..<colon]
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isNumber = parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil && $0.first != "+" }
        return isNumber || name.lowercased() == "localhost"
    }

    /// Whether a browser that sends the `Origin` shows a page of this server, or it is no browser.
    static func isOwn(_ origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        guard let host else { return false }
        return origin.lowercased() == "http://" + host.lowercased() || origin.lowercased() == "https://" + host.lowercased()
    }
}

extension DashboardResponse {
    fileprivate var last: DashboardResponse {
        var response = self
        response.isLast = true
        return response
    }
}

extension Substring {
    /// Whether it is empty, or a colon and a number.
    fileprivate var isPort: Bool { isEmpty || first == ":" && UInt16(dropFirst()) != nil && dropFirst().first != "+" }
}
