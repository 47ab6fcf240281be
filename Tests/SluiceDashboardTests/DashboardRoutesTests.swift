import Foundation
import Synchronization
import Testing

@testable import SluiceDashboard

/// Content that says what it was asked.
final class TestContent: DashboardContent {
    private let asked = Mutex<[String]>([])

    var said: [String] { asked.withLock { $0 } }

    private func say(_ text: String) -> [UInt8] {
        asked.withLock { $0.append(text) }
        return Array(text.utf8)
    }

    func page(after event: String) -> [UInt8] { say("page after \(event)") }
    func status() -> [UInt8] { say("status") }
    func samples() -> [UInt8] { say("samples") }
    func metrics() -> [UInt8] { say("metrics") }
    func event(isWhole: Bool) -> [UInt8] { say(isWhole ? "whole" : "change") }
    func lastEvent() -> [UInt8] { say("end") }
    func drain() throws(DashboardRefusal) { _ = say("drain") }

    func resize(_ stage: String, to workers: Int) throws(DashboardRefusal) {
        if stage == "none" { throw DashboardRefusal(422, "stage", "there is no stage '\(stage)'") }
        _ = say("resize \(stage) \(workers)")
    }
}

@Suite("Requests to a dashboard")
struct DashboardRoutesTests {
    static let token = "0123456789abcdef"
    let content = TestContent()

    private func answer(
        _ method: DashboardRequest.Method, _ target: String, host: String? = "127.0.0.1:8080", isLoopback: Bool = true, body: String = "",
        change: (inout DashboardRequest) -> Void = { _ in }
    ) throws -> DashboardAnswer {
        var request = DashboardRequest(method, target: target, body: Array(body.utf8))
        request.host = host
        change(&request)
        let token = try #require(DashboardToken(Self.token))
        return DashboardRoutes(token: token, isLoopback: isLoopback, content: content).answer(request, event: "r-7")
    }

    private func answer(
        _ target: String, host: String? = "127.0.0.1:8080", isLoopback: Bool = true, change: (inout DashboardRequest) -> Void = { _ in }
    ) throws -> DashboardAnswer {
        try answer(.get, target, host: host, isLoopback: isLoopback, change: change)
    }

    private func status(of answer: DashboardAnswer) -> Int {
        guard case .response(let response) = answer else { return 0 }
        return response.status
    }

    @Test("have a path, and a query of which the first of each name counts")
    func parts() {
        let request = DashboardRequest(.get, target: "/a/b?token=x&token=y&z&w=1=2&=3?4")
        #expect(request.path == "/a/b")
        #expect(request.query == ["token": "x", "z": "", "w": "1=2", "": "3?4"])
        #expect(DashboardRequest(.get, target: "/").query.isEmpty)
        #expect(DashboardRequest(.get, target: "").path == "")
    }

    @Test(
        "with the token are answered",
        arguments: [
            ("/", "page after r-7", "text/html; charset=utf-8"), ("/status", "status", "application/json; charset=utf-8"),
            ("/samples", "samples", "application/json; charset=utf-8"), ("/metrics", "metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ])
    func reading(path: String, text: String, type: String) throws {
        guard case .response(let response) = try answer("\(path)?token=\(Self.token)") else { throw Missing() }
        #expect((response.status, response.type, String(decoding: response.body, as: UTF8.self)) == (200, type, text))
        guard case .response(let same) = try answer(path, change: { $0.authorization = "Bearer \(Self.token)" }) else { throw Missing() }
        #expect(same == response)
        #expect(try status(of: answer(.post, "\(path)?token=\(Self.token)")) == 405)
        #expect(try status(of: answer(.other, "\(path)?token=\(Self.token)")) == 405)
    }

    struct Missing: Error {}

    @Test(
        "without it learn nothing, and do nothing",
        arguments: ["/", "/status", "/samples", "/metrics", "/events", "/drain", "/resize", "/nothing", ""],
        ["", "?token=", "?token=0123456789abcdee", "?Token=0123456789abcdef", "?token=0123456789abcdef0"])
    func noToken(path: String, query: String) throws {
        for method in [DashboardRequest.Method.get, .post] {
            guard case .response(let response) = try answer(method, path + query, body: #"{"stage":"a","workers":1}"#) else { throw Missing() }
            #expect(response.status == 401 && response.isLast)
            #expect(response.type == "application/json; charset=utf-8" && response.fields["www-authenticate"] == "Bearer")
            #expect(response.body == Array((#"{"error":{"code":"token","message":"the token is missing or wrong"}}"# + "\n").utf8))
        }
        #expect(content.said.isEmpty)
    }

    @Test("whose Authorization is wrong are not saved by their query", arguments: ["", "Basic 0123456789abcdef", "Bearer", "Bearer x"])
    func authorization(field: String) throws {
        #expect(try status(of: answer("/status?token=\(Self.token)", change: { $0.authorization = field })) == 401)
    }

    @Test(
        "must name this machine, if the dashboard is for it alone",
        arguments: [
            ("127.0.0.1:8080", true), ("127.0.0.1", true), ("localhost:1", true), ("LocalHost", true), ("[::1]:80", true), ("[::1]", true),
            ("127.9.8.7:1", true),
            ("evil.example", false), ("evil.example:8080", false), ("127.0.0.1.evil.example", false), ("127.0.0.1:x", false), ("127.0.0.1@evil", false),
            ("127.0.0.256", false), ("127.0.0", false), ("[::2]", false), ("[::1]evil", false), ("[::1", false), ("", false), (nil, false),
        ])
    func host(name: String?, isFine: Bool) throws {
        #expect(try status(of: answer("/status?token=\(Self.token)", host: name)) == (isFine ? 200 : 421))
        #expect(try status(of: answer("/status?token=\(Self.token)", host: name, isLoopback: false)) == 200)
        // That comes before the token.
        if !isFine { #expect(try status(of: answer("/status", host: name)) == 421) }
    }

    @Test(
        "of a page from elsewhere change nothing",
        arguments: ["http://evil.example", "null", "http://127.0.0.1:8081", "http://127.0.0.1:8080.evil.example", ""])
    func origin(text: String) throws {
        for path in ["/drain", "/resize"] {
            #expect(try status(of: answer(.post, "\(path)?token=\(Self.token)", body: #"{"stage":"a","workers":1}"#, change: { $0.origin = text })) == 403)
        }
        #expect(content.said.isEmpty)
    }

    @Test("of the own page, or of a program, drain and resize", arguments: [nil, "http://127.0.0.1:8080"])
    func changing(origin: String?) throws {
        let drained = try answer(.post, "/drain?token=\(Self.token)", change: { $0.origin = origin })
        #expect(status(of: drained) == 202)
        guard
            case .response(let resized) = try answer(.post, "/resize?token=\(Self.token)", body: #"{"stage":"a","workers":3}"#, change: { $0.origin = origin })
        else { throw Missing() }
        #expect(resized.status == 200 && String(decoding: resized.body, as: UTF8.self) == "{\"stage\":\"a\",\"workers\":3}\n")
        #expect(content.said == ["drain", "resize a 3"])
        #expect(try status(of: answer("/drain?token=\(Self.token)")) == 405)
    }

    @Test(
        "to resize say a stage and a number",
        arguments: ["", "{}", "[]", "{\"stage\":1,\"workers\":1}", "{\"stage\":\"a\"}", "{\"stage\":\"a\",\"workers\":1.5}", "x"])
    func wrongBodies(body: String) throws {
        guard case .response(let response) = try answer(.post, "/resize?token=\(Self.token)", body: body) else { throw Missing() }
        #expect(response.status == 400)
        let error = try #require(JSONSerialization.jsonObject(with: Data(response.body)) as? [String: [String: String]])["error"]
        #expect(error?["code"] == "body" && error?["message"]?.contains("stage") == true)
    }

    @Test("that are refused say why, as JSON, whatever is in it")
    func refusals() throws {
        guard case .response(let response) = try answer(.post, "/resize?token=\(Self.token)", body: #"{"stage":"none","workers":3}"#) else { throw Missing() }
        #expect(
            (response.status, String(decoding: response.body, as: UTF8.self)) == (
                422, #"{"error":{"code":"stage","message":"there is no stage 'none'"}}"# + "\n"
            ))
        #expect(try status(of: answer("/favicon.ico?token=\(Self.token)")) == 404)
    }

    @Test("for events go on after the last one that was seen")
    func events() throws {
        #expect(try answer("/events?token=\(Self.token)") == .events(after: nil))
        #expect(try answer("/events?token=\(Self.token)&after=r-5") == .events(after: "r-5"))
        #expect(try answer("/events?token=\(Self.token)&after=r-5", change: { $0.lastEventID = "r-6" }) == .events(after: "r-6"))
    }
}
