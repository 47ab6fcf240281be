import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import SluiceDashboard

/// A server without sockets, and with a clock that stands still.
final class TestServer {
    let loop = EmbeddedEventLoop()
    let content = TestContent()
    let hub: DashboardHub

    init() throws {
        let token = try #require(DashboardToken(DashboardRoutesTests.token))
        hub = DashboardHub(DashboardRoutes(token: token, isLoopback: true, content: content), content: content, run: "r", on: loop)
    }

    func connect() throws -> TestClient {
        let channel = EmbeddedChannel(loop: loop)
        try hub.accept(channel)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return TestClient(channel)
    }

    func wait(_ time: TimeAmount) { loop.advanceTime(by: time) }
}

struct TestClient {
    let channel: EmbeddedChannel

    init(_ channel: EmbeddedChannel) { self.channel = channel }

    static let host = "host: localhost\r\n"
    static let token = "token=\(DashboardRoutesTests.token)"

    func send(_ text: String) throws {
        // After the connection was closed, nobody is there.
        if channel.isActive { try channel.writeInbound(ByteBuffer(string: text)) }
    }

    /// What has come since the last call.
    func received() throws -> String {
        channel.embeddedEventLoop.run()
        var text = ""
        while let part = try channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(let buffer) = part { text += String(buffer: buffer) }
        }
        return text
    }

    var isOpen: Bool { channel.isActive }
}

@Suite("Connections to a dashboard")
struct DashboardConnectionTests {
    @Test("take one request after the other, in pieces of any size")
    func requests() throws {
        let server = try TestServer()
        let client = try server.connect()
        for byte in "GET /status?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)\r\n".unicodeScalars { try client.send(String(byte)) }
        var answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nstatus") && answer.contains("content-length: 6\r\n"))
        #expect(answer.contains("cache-control: no-store\r\n") && !answer.lowercased().contains("access-control"))
        try client.send("HEAD /metrics?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)\r\n")
        answer = try client.received()
        #expect(answer.contains("content-length: 7\r\n") && answer.hasSuffix("\r\n\r\n"))
        let body = #"{"stage": "a", "workers": 2}"#
        try client.send("POST /resize?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)content-length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(try client.received().contains(#"{"stage":"a","workers":2}"#))
        #expect(client.isOpen)
        #expect(server.content.said == ["status", "metrics", "resize a 2"])
    }

    @Test("end after a request without the token, and when the client wants that")
    func endings() throws {
        let server = try TestServer()
        for request in [
            "GET /status HTTP/1.1\r\n\(TestClient.host)\r\n", "GET /status?\(TestClient.token) HTTP/1.1\r\nconnection: close\r\n\(TestClient.host)\r\n",
            "GET /status?\(TestClient.token) HTTP/1.0\r\n\(TestClient.host)\r\n",
        ] {
            let client = try server.connect()
            try client.send(request)
            #expect(try client.received().contains("connection: close\r\n"))
            #expect(!client.isOpen)
        }
    }

    @Test(
        "end with what is not HTTP, or too large",
        arguments: [
            ("nonsense\r\n\r\n", 400), ("GET /status HTTP/3.7\r\n\r\n", 400), ("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\nx: \(String(repeating: "x", count: 20_000))\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\n\(String(repeating: "x: y\r\n", count: 100))\r\n", 431),
            ("POST /resize?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)content-length: 5000\r\n\r\n\(String(repeating: " ", count: 5000))", 413),
            (
                "POST /resize?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)transfer-encoding: chunked\r\n\r\n1388\r\n\(String(repeating: " ", count: 5000))\r\n",
                413
            ),
        ])
    func tooMuch(request: String, status: Int) throws {
        let server = try TestServer()
        let client = try server.connect()
        // In pieces, as a slow client would.
        var rest = request[...]
        while !rest.isEmpty, client.isOpen {
            do { try client.send(String(rest.prefix(1000))) } catch {}
            rest = rest.dropFirst(1000)
        }
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(!client.isOpen)
        #expect(server.content.said.isEmpty)
    }

    @Test(
        "end if no whole request comes in time",
        arguments: ["", "GET /status?", "POST /resize?\(TestClient.token) HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{"])
    func slowRequests(beginning: String) throws {
        let server = try TestServer()
        let client = try server.connect()
        try client.send(beginning)
        server.wait(.seconds(19))
        #expect(client.isOpen)
        // A byte more does not buy time.
        if !beginning.isEmpty { try client.send("x") }
        server.wait(.seconds(1))
        #expect(!client.isOpen)
    }

    @Test("are limited in number, which is open again for others")
    func most() throws {
        let server = try TestServer()
        let clients = try (0..<DashboardServer.Limits.connections).map { _ in try server.connect() }
        let refused = try server.connect()
        #expect(try refused.received().hasPrefix("HTTP/1.1 503 "))
        #expect(!refused.isOpen)
        _ = try clients[0].channel.finish()
        let next = try server.connect()
        try next.send("GET /status?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)\r\n")
        #expect(try next.received().hasPrefix("HTTP/1.1 200 "))
    }

    @Test("of viewers are sent an event each second, made once for all of them")
    func viewers() throws {
        let server = try TestServer()
        let viewers = try (0..<100).map { _ in try server.connect() }
        for viewer in viewers { try viewer.send("GET /events?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)\r\n") }
        for viewer in viewers {
            let text = try viewer.received()
            #expect(text.contains("content-type: text/event-stream") && text.contains("id: r-2\nevent: whole\nretry: 1000\ndata: whole\n\n"))
        }
        #expect(server.content.said == ["whole"])
        server.wait(.seconds(1))
        for viewer in viewers { #expect(try viewer.received().contains("id: r-3\nevent: change\nretry: 1000\ndata: change\n\n")) }
        #expect(server.content.said == ["whole", "change"])
        // Without viewers, nothing is made.
        for viewer in viewers { _ = try viewer.channel.finish() }
        server.wait(.seconds(10))
        #expect(server.content.said == ["whole", "change"])
    }

    @Test("that come back are sent what they have missed")
    func comingBack() throws {
        let server = try TestServer()
        let first = try server.connect()
        try first.send("GET /events?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)\r\n")
        server.wait(.seconds(3))
        #expect(try first.received().contains("id: r-5\n"))
        for (name, kind) in [("r-4", "change"), ("r-1", "change"), ("q-4", "whole"), ("", "whole")] {
            let viewer = try server.connect()
            try viewer.send("GET /events?\(TestClient.token) HTTP/1.1\r\nlast-event-id: \(name)\r\n\(TestClient.host)\r\n")
            #expect(try viewer.received().contains("id: r-5\nevent: \(kind)\n"), "\(name)")
        }
        let sameAgain = try server.connect()
        try sameAgain.send("GET /events?\(TestClient.token) HTTP/1.1\r\nlast-event-id: r-5\r\n\(TestClient.host)\r\n")
        #expect(try !sameAgain.received().contains("id: "))
    }

    @Test("of slow viewers hold one event at most, and end")
    func slowViewers() throws {
        let server = try TestServer()
        let viewer = try server.connect()
        try viewer.send("GET /events?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)\r\n")
        _ = try viewer.received()
        viewer.channel.isWritable = false
        viewer.channel.pipeline.fireChannelWritabilityChanged()
        server.wait(.seconds(5))
        #expect(try viewer.received() == "")
        viewer.channel.isWritable = true
        viewer.channel.pipeline.fireChannelWritabilityChanged()
        // The newest, and none of those before.
        let text = try viewer.received()
        #expect(text.contains("id: r-7\n") && !text.contains("id: r-6\n"))
        viewer.channel.isWritable = false
        viewer.channel.pipeline.fireChannelWritabilityChanged()
        server.wait(.seconds(29))
        #expect(viewer.isOpen)
        server.wait(.seconds(1))
        #expect(!viewer.isOpen)
    }

    @Test("that ask on without taking the answers end")
    func greedy() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.channel.isWritable = false
        try client.send("GET /samples?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)\r\n")
        #expect(!client.isOpen)
        #expect(server.content.said.isEmpty)
    }

    @Test("of viewers end with the last event")
    func lastEvent() throws {
        let server = try TestServer()
        let viewer = try server.connect()
        try viewer.send("GET /events?\(TestClient.token) HTTP/1.1\r\n\(TestClient.host)\r\n")
        _ = try viewer.received()
        server.hub.end()
        let lingered = server.hub.lingered()
        #expect(try viewer.received().contains("event: end\nretry: 1000\ndata: end\n\n"))
        #expect(!viewer.isOpen)
        server.wait(.milliseconds(20))
        try lingered.wait()
        // One that comes late is told, too.
        let late = try server.connect()
        try late.send("GET /events?\(TestClient.token)&after=r-2 HTTP/1.1\r\n\(TestClient.host)\r\n")
        #expect(try late.received().contains("event: end\n"))
    }
}
