import Foundation
import Synchronization
import Testing
import WorkerPools

@testable import SluiceRecords

@Suite("HTTPPool", .timeLimit(Patience.limit))
struct HTTPPoolTests {
    private static let soon = RetryPolicy(times: 3, backoff: .milliseconds(1), maxBackoff: .milliseconds(1))

    @Test("one connection serves request after request")
    func keepsConnections() async throws {
        let server = try LocalServer { .text($0.target) }
        defer { server.stop() }
        let pool = try HTTPPool.test()
        for number in 0..<200 { #expect(try await pool.get("\(server.url)/\(number)").text == "/\(number)") }
        await pool.shutdown()
        #expect(server.counts.connections == 1)
        #expect(server.counts.requests == 200)
    }

    @Test("as many requests are in flight as there are workers, each on a connection that is used again")
    func concurrent() async throws {
        let gate = ServerGate()
        let server = try LocalServer { _ in
            gate.wait()
            return .text("x")
        }
        defer { server.stop() }
        let pool = try HTTPPool.test(workers: 4)
        let url = server.url
        await withTaskGroup { group in
            for _ in 0..<40 { group.addTask { #expect((try? await pool.get(url).text) == "x") } }
            group.addTask {
                await server.wait { $0.open == 4 }
                gate.open()
            }
        }
        await pool.shutdown()
        #expect(server.counts.mostOpen == 4)
        #expect(server.counts.connections == 4)
    }

    @Test("no more requests go to one host at once than 'connections' allows")
    func connectionLimit() async throws {
        let gate = ServerGate()
        let server = try LocalServer { _ in
            gate.wait()
            return .text("x")
        }
        let other = try LocalServer { _ in .text("y") }
        defer {
            server.stop()
            other.stop()
        }
        let pool = try HTTPPool.test(workers: 4) { $0.connections = 2 }
        let (url, otherURL) = (server.url, other.url)
        await withTaskGroup { group in
            for _ in 0..<3 { group.addTask { #expect((try? await pool.get(url).text) == "x") } }
            group.addTask {
                await server.wait { $0.open == 2 }
                // The server that is at its limit does not hold up another one.
                #expect((try? await pool.get(otherURL).text) == "y")
                gate.open()
            }
        }
        await pool.shutdown()
        #expect(server.counts.mostOpen == 2)
        #expect(server.counts.connections == 2)
    }

    @Test("methods, headers and bodies arrive as given")
    func requests() async throws {
        let seen = Mutex<LocalServer.Request?>(nil)
        let server = try LocalServer { request in
            seen.withLock { $0 = request }
            return .text("ok")
        }
        defer { server.stop() }
        let pool = try HTTPPool.test()
        for method in HTTP.Method.allCases {
            let body = method == .head ? nil : "some body"
            let headers = [
                HTTPRequest.Header(name: "X-One", value: "1", isConfidential: false), HTTPRequest.Header(name: "X-Empty", value: "", isConfidential: false),
            ]
            #expect(try await pool.get("\(server.url)/a?b=c", method: method, headers: headers, body: body).answer?.status == 200)
            let request = try #require(seen.withLock { $0 })
            #expect(request.method == method.rawValue && request.target == "/a?b=c" && request.body == body ?? "")
            #expect(request.headers["x-one"] == "1" && request.headers["x-empty"] == "" && request.headers["host"] == "127.0.0.1:\(server.port)")
            #expect(request.headers["expect"] == nil && request.headers["accept-encoding"] == "gzip" && request.headers["user-agent"] == "sluice")
        }
        _ = try await pool.get(server.url, method: .put)
        let empty = try #require(seen.withLock { $0 })
        #expect(empty.headers["content-length"] == "0" && empty.headers["content-type"] == nil)
        _ = try await pool.get(server.url)
        #expect(seen.withLock { $0 }?.headers["content-length"] == nil)
        await pool.shutdown()
    }

    @Test("a server that does not answer in time fails with 'timeout', after all its attempts")
    func timesOut() async throws {
        let server = try LocalServer { _ in .silence }
        defer { server.stop() }
        let pool = try HTTPPool.test(timeout: .milliseconds(100), retry: Self.soon)
        let outcome = try await pool.get(server.url)
        #expect(outcome.code == "timeout" && outcome.failure?.message == "no answer in 100 ms" && outcome.attempts == 4)
        #expect(pool.ownWorkers.timeouts == 4 && pool.ownWorkers.retries == 3)
        await pool.shutdown()
        #expect(server.counts.requests == 4)
    }

    @Test("the time limit covers the connecting")
    func connectingTimesOut() async throws {
        // Nobody accepts connections here. Linux completes backlog + 1 of them.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        defer { close(listener) }
        let port = try LocalServer.listen(listener, backlog: 0)
        let pool = try HTTPPool.test(workers: 3, timeout: .milliseconds(300))
        await withTaskGroup { group in
            for _ in 0..<3 { group.addTask { #expect((try? await pool.get("http://127.0.0.1:\(port)").code) == "timeout") } }
        }
        await pool.shutdown()
    }

    @Test("failures that may pass are retried, others are not", arguments: [408, 425, 429, 500, 501, 502, 503, 504, 599])
    func retried(status: Int) async throws {
        let server = try LocalServer { $0.number < 3 ? .text("wait", status: status) : .text("at last") }
        defer { server.stop() }
        let pool = try HTTPPool.test(retry: Self.soon)
        #expect(try await pool.get(server.url).text == "at last")
        #expect(pool.ownWorkers.retries == 2)
        await pool.shutdown()
        #expect(server.counts.connections == 1)
    }

    @Test("a status that will not change fails at once", arguments: [304, 400, 401, 403, 404, 405, 409, 410, 422, 451])
    func notRetried(status: Int) async throws {
        let server = try LocalServer { _ in .text(status == 304 ? "" : "no\tsuch\u{1B}[1mthing", status: status) }
        defer { server.stop() }
        let pool = try HTTPPool.test(retry: Self.soon)
        let outcome = try await pool.get(server.url)
        #expect(outcome.code == "http.status" && outcome.attempts == 1)
        #expect(outcome.failure?.message == (status == 304 ? "status 304" : "status \(status): 'no such [1mthing'"))
        await pool.shutdown()
        #expect(server.counts.requests == 1)
    }

    @Test("statuses that are accepted are answers")
    func accepts() async throws {
        let server = try LocalServer { _ in .text("nobody", status: 404) }
        defer { server.stop() }
        let pool = try HTTPPool.test { $0.accepted = [404] }
        let answer = try await pool.get(server.url).answer
        #expect(answer?.status == 404 && answer?.body == Array("nobody".utf8))
        await pool.shutdown()
    }

    @Test("messages contain the beginning of the body only, without secrets, even at the cut")
    func excerpts() async throws {
        let secret = "s3cr3t-\(String(repeating: "k", count: 40))"
        let body = String(repeating: "é", count: 90) + secret + String(repeating: "x", count: 500)
        let server = try LocalServer { _ in .text(body, status: 400) }
        defer { server.stop() }
        let pool = try HTTPPool.test(secrets: [secret])
        let message = try #require(try await pool.get(server.url).failure?.message)
        #expect(message == "status 400: '" + String(repeating: "é", count: 90) + "***" + String(repeating: "x", count: 17) + "…'")
        await pool.shutdown()
    }

    @Test(
        "no connection, or one that ends early, is retried",
        arguments: [LocalServer.Reply.reset, .raw(""), .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")])
    func lostConnections(reply: LocalServer.Reply) async throws {
        let server = try LocalServer { $0.number < 4 ? reply : .text("whole") }
        defer { server.stop() }
        let pool = try HTTPPool.test(retry: Self.soon)
        #expect(try await pool.get(server.url).text == "whole")
        await pool.shutdown()
        let impatient = try HTTPPool.test()
        let broken = try LocalServer { _ in reply }
        defer { broken.stop() }
        let outcome = try await impatient.get(broken.url)
        #expect(outcome.code == "http.connection" && outcome.attempts == 1)
        #expect(outcome.failure?.message.contains("127.0.0.1:\(broken.port)") == true)
        await impatient.shutdown()
    }

    @Test("a refused connection says so")
    func refused() async throws {
        let port = try LocalServer.freePort()
        let pool = try HTTPPool.test(retry: Self.soon)
        let outcome = try await pool.get("http://127.0.0.1:\(port)/x")
        #expect(outcome.code == "http.connection" && outcome.attempts == 4)
        #expect(outcome.failure?.message == "no connection to 127.0.0.1:\(port): Connection refused")
        let unknown = try await pool.get("http://no-such-host.invalid/")
        #expect(unknown.code == "http.connection" && unknown.failure?.message == "no such host 'no-such-host.invalid'")
        await pool.shutdown()
    }

    @Test("Retry-After is honoured, in seconds and as a date", arguments: [false, true])
    func retryAfter(isDate: Bool) async throws {
        let server = try LocalServer { request in
            guard request.number == 1 else { return .text("now") }
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(identifier: "GMT")
            format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            return .text("later", status: 429, headers: ["Retry-After: \(isDate ? format.string(from: Date() + 2) : "1")"])
        }
        defer { server.stop() }
        let pool = try HTTPPool.test(retry: Self.soon)
        let start = ContinuousClock.now
        #expect(try await pool.get(server.url).text == "now")
        // A date of whole seconds may be up to a second less away, and libcurl counts those.
        #expect(ContinuousClock.now - start >= .milliseconds(isDate ? 900 : 1000))
        await pool.shutdown()
    }

    @Test("Retry-After is bounded, and nonsense there is ignored", arguments: ["86400", "-5", "soon", "99999999999999999999"])
    func retryAfterIsBounded(value: String) async throws {
        let server = try LocalServer { $0.number == 1 ? .text("later", status: 503, headers: ["Retry-After: \(value)"]) : .text("now") }
        defer { server.stop() }
        let pool = try HTTPPool.test(retry: Self.soon) { $0.longestRetryAfter = .milliseconds(20) }
        #expect(try await pool.get(server.url).text == "now")
        await pool.shutdown()
    }
}

@Suite("HTTPPool: redirects", .timeLimit(Patience.limit))
struct HTTPRedirectTests {
    @Test("are followed, with the method that the status asks for", arguments: [301, 302, 303, 307, 308])
    func followed(status: Int) async throws {
        let server = try LocalServer { $0.target == "/new" ? .text("\($0.method) \($0.body)") : .text("", status: status, headers: ["Location: /new"]) }
        defer { server.stop() }
        let pool = try HTTPPool.test()
        #expect(try await pool.get("\(server.url)/old").text == "GET ")
        #expect(try await pool.get("\(server.url)/old", method: .post, body: "b").text == (status >= 307 ? "POST b" : "GET "))
        #expect(try await pool.get("\(server.url)/old", method: .put, body: "b").text == (status == 303 ? "GET " : "PUT b"))
        #expect(try await pool.get("\(server.url)/old", method: .head).answer?.status == 200)
        await pool.shutdown()
        #expect(server.counts.connections == 1)
    }

    @Test("are bounded")
    func bounded() async throws {
        let server = try LocalServer { .text("", status: 302, headers: ["Location: /\($0.number)"]) }
        defer { server.stop() }
        let pool = try HTTPPool.test { $0.redirects = 3 }
        let outcome = try await pool.get(server.url)
        #expect(outcome.code == "http.redirect" && outcome.failure?.message == "more than 3 redirects")
        #expect(server.counts.requests == 4)
        await pool.shutdown()
        let none = try HTTPPool.test { $0.redirects = 0 }
        #expect(try await none.get(server.url).failure?.message == "status 302")
        await none.shutdown()
    }

    @Test(
        "never lead to another scheme", arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "dict://127.0.0.1:1/x", "http://u:p@h/"])
    func otherSchemes(target: String) async throws {
        let server = try LocalServer { _ in .text("", status: 302, headers: ["Location: \(target)"]) }
        defer { server.stop() }
        let pool = try HTTPPool.test(retry: RetryPolicy(times: 2))
        let outcome = try await pool.get(server.url)
        #expect(outcome.code == "http.redirect" && outcome.attempts == 1)
        await pool.shutdown()
    }

    @Test("take no secrets to another server")
    func secretsStay() async throws {
        let other = try LocalServer { .text($0.headers.keys.filter { $0.hasPrefix("x-") || $0 == "authorization" }.sorted().joined(separator: " ")) }
        let place = other.url
        let server = try LocalServer {
            switch $0.target {
            case "/away": .text("", status: 307, headers: ["Location: \(place)/"])
            case "/here": .text("", status: 307, headers: ["Location: /seen"])
            default: .text($0.headers["authorization"] ?? "none")
            }
        }
        defer {
            server.stop()
            other.stop()
        }
        let pool = try HTTPPool.test()
        let headers = [
            HTTPRequest.Header(name: "Authorization", value: "Bearer k", isConfidential: true),
            HTTPRequest.Header(name: "X-Key", value: "k", isConfidential: true),
            HTTPRequest.Header(name: "X-Plain", value: "p", isConfidential: false),
        ]
        #expect(try await pool.get("\(server.url)/here", headers: headers).text == "Bearer k")
        #expect(try await pool.get("\(server.url)/away", headers: headers).text == "x-plain")
        await pool.shutdown()
    }
}

@Suite("HTTPPool: odd answers", .timeLimit(Patience.limit))
struct HTTPOddAnswerTests {
    struct Odd: Sendable, CustomTestStringConvertible {
        var reply: String
        var code: String?
        var testDescription: String { String(reply.prefix(40).map { $0.isNewline ? "|" : $0 }) }
    }

    static let all: [Odd] = [
        Odd(reply: "hello\r\n", code: "http.protocol"),
        Odd(reply: "\r\n\r\n\r\n", code: "http.protocol"),
        Odd(reply: "<html>no header at all</html>", code: "http.protocol"),
        Odd(reply: "HTTP/9.9 200 OK\r\n\r\n", code: "http.protocol"),
        Odd(reply: "HTTP/1.1 99 Low\r\n\r\n", code: "http.protocol"),
        Odd(reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", code: "http.connection"),
        Odd(reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", code: "http.connection"),
        Odd(reply: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", code: "http.connection"),
        Odd(reply: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", code: "http.protocol"),
        Odd(reply: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello", code: nil),
        Odd(reply: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", code: nil),
        Odd(reply: "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 400_000) + "\r\n\r\n", code: nil),
        Odd(reply: "HTTP/1.1 200 OK\r\n" + String(repeating: "X-Many: \(String(repeating: "y", count: 1000))\r\n", count: 400) + "\r\n", code: "http.protocol"),
        Odd(reply: String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 20_000), code: "http.protocol"),
        Odd(reply: "HTTP/1.1 503 Gone\r\nContent-Length: 100\r\n\r\nhalf", code: "http.status"),
        Odd(reply: "HTTP/1.1 302 Found\r\n\r\n", code: "http.status"),
        Odd(reply: "HTTP/1.1 302 Found\r\nLocation:\r\n\r\n", code: nil),
        Odd(reply: "HTTP/1.1 302 Found\r\nLocation: http://[::bad\r\n\r\n", code: nil),
    ]

    @Test("fail with a code of their own, and the next request is answered", arguments: all)
    func odd(odd: Odd) async throws {
        let server = try LocalServer { $0.target == "/odd" ? .raw(odd.reply) : .text("fine") }
        defer { server.stop() }
        let pool = try HTTPPool.test()
        let outcome = try await pool.get("\(server.url)/odd")
        if let code = odd.code { #expect(outcome.code == code, "\(outcome)") } else { #expect(outcome.code?.hasPrefix("http.") == true, "\(outcome)") }
        #expect(try await pool.get("\(server.url)/next").text == "fine")
        await pool.shutdown()
    }

    @Test("an answer without a length lasts until the end of the connection; old versions are fine")
    func untilTheEnd() async throws {
        let server = try LocalServer { _ in .raw("HTTP/1.0 200 OK\r\n\r\nall of it") }
        defer { server.stop() }
        let pool = try HTTPPool.test()
        #expect(try await pool.get(server.url).text == "all of it")
        await pool.shutdown()
    }

    @Test("answers of 0 bytes, 204 and HEAD are answers")
    func withoutBody() async throws {
        let server = try LocalServer { $0.target == "/204" ? .answer(204) : .answer(200, body: $0.target == "/0" ? [] : Array("body".utf8)) }
        defer { server.stop() }
        let pool = try HTTPPool.test()
        #expect(try await pool.get("\(server.url)/204").answer?.status == 204)
        #expect(try await pool.get("\(server.url)/0").text == "")
        #expect(try await pool.get("\(server.url)/", method: .head).text == "")
        #expect(try await pool.get("\(server.url)/").text == "body")
        await pool.shutdown()
        #expect(server.counts.connections == 1)
    }

    /// 10 MB of zeros, and a short text, compressed by gzip.
    private static func gzipped(_ text: some Sequence<UInt8>) throws -> [UInt8] {
        let folder = try RunFolder()
        defer { folder.remove() }
        try folder.write(text, to: "x")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["\(folder.path)/x"]
        try process.run()
        process.waitUntilExit()
        return Array(try Data(contentsOf: URL(filePath: "\(folder.path)/x.gz")))
    }

    @Test("gzip is decompressed, and the limit is that of the text")
    func gzip() async throws {
        let small = try Self.gzipped("some text".utf8)
        let bomb = try Self.gzipped(repeatElement(0, count: 10_000_000))
        let server = try LocalServer { .answer(200, headers: ["Content-Encoding: gzip"], body: $0.target == "/bomb" ? bomb : small) }
        defer { server.stop() }
        let pool = try HTTPPool.test { $0.longestAnswer = 100_000 }
        #expect(bomb.count < 100_000)
        #expect(try await pool.get("\(server.url)/bomb").failure?.message == "the answer is longer than 100000 bytes")
        #expect(try await pool.get("\(server.url)/small").text == "some text")
        await pool.shutdown()
    }

    @Test("an answer of exactly the limit is one, a longer one is not")
    func limit() async throws {
        let server = try LocalServer { .answer(200, body: Array(repeating: 0x61, count: Int($0.target.dropFirst()) ?? 0)) }
        defer { server.stop() }
        let pool = try HTTPPool.test { $0.longestAnswer = 5000 }
        #expect(try await pool.get("\(server.url)/5000").answer?.body.count == 5000)
        #expect(try await pool.get("\(server.url)/5001").code == "http.too_long")
        await pool.shutdown()
    }
}

@Suite("HTTPPool: the end of a run", .timeLimit(Patience.limit))
struct HTTPDrainTests {
    @Test("after a drain no request begins, no retry is waited for, and what is in flight is aborted after the grace")
    func drains() async throws {
        let server = try LocalServer { $0.target == "/busy" ? .text("later", status: 503) : .silence }
        defer { server.stop() }
        let pool = try HTTPPool.test(
            workers: 2, timeout: .seconds(600), retry: RetryPolicy(times: 5, backoff: .seconds(600), maxBackoff: .seconds(600), jitter: false))
        let url = server.url
        await withTaskGroup { group in
            group.addTask { #expect((try? await pool.get("\(url)/busy")) == .abandoned) }
            for _ in 0..<8 { group.addTask { #expect((try? await pool.get("\(url)/silent")) == .abandoned) } }
            group.addTask {
                await server.wait { $0.requests == 3 && $0.open == 2 }
                pool.drain(grace: .milliseconds(100))
            }
        }
        #expect(server.counts.requests == 3)
        #expect(try await pool.get(url) == .abandoned)
        await pool.shutdown()
        #expect(server.counts.requests == 3)
    }

    @Test("an answer within the grace counts")
    func grace() async throws {
        let gate = ServerGate()
        let server = try LocalServer { _ in
            gate.wait()
            return .text("just in time")
        }
        defer { server.stop() }
        let pool = try HTTPPool.test()
        let url = server.url
        async let outcome = pool.get(url)
        await server.wait { $0.open == 1 }
        pool.drain(grace: .seconds(600))
        gate.open()
        #expect(try await outcome.text == "just in time")
        await pool.shutdown()
    }

    @Test("a cancelled task gives up at once")
    func cancels() async throws {
        let server = try LocalServer { $0.target == "/silent" ? .silence : .text("x") }
        defer { server.stop() }
        let pool = try HTTPPool.test(timeout: .seconds(600))
        let url = server.url
        let task = Task { try await pool.get("\(url)/silent") }
        await server.wait { $0.open == 1 }
        task.cancel()
        #expect(try await task.value == .abandoned)
        #expect(try await pool.get(url).text == "x")
        await pool.shutdown()
        #expect(try await pool.get(url) == .abandoned)
        let unused = try HTTPPool.test()
        await unused.shutdown()
        #expect(try await unused.get(url) == .abandoned)
    }

    @Test("a pool that is let go of ends its thread and its connections")
    func letGo() async throws {
        let server = try LocalServer { _ in .silence }
        defer { server.stop() }
        var pool: HTTPPool? = try HTTPPool.test(timeout: .milliseconds(50))
        #expect(try await pool?.get(server.url).code == "timeout")
        pool = nil
        await server.wait { $0.open == 0 }
    }
}
