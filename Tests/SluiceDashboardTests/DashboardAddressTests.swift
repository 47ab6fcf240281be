import Testing

@testable import SluiceDashboard

@Suite("The address of a dashboard")
struct DashboardAddressTests {
    @Test(
        "is a host and a port",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1", 8080, true), ("localhost:0", "localhost", 0, true), ("[::1]:9", "::1", 9, true),
            ("0.0.0.0:80", "0.0.0.0", 80, false), ("[::]:80", "::", 80, false), ("host.example:65535", "host.example", 65535, false),
        ])
    func parts(text: String, host: String, port: Int, isLoopback: Bool) throws {
        let address = try #require(DashboardAddress(text))
        #expect(address == DashboardAddress(host: host, port: port))
        #expect(address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test(
        "is nothing else", arguments: ["", "8080", ":8080", "host", "host:", "host:x", "host:65536", "host:-1", "::1:80", "a b:80", "a/b:80", "pipeline.yaml"])
    func wrong(text: String) {
        #expect(DashboardAddress(text) == nil)
    }
}

@Suite("The token of a dashboard")
struct DashboardTokenTests {
    @Test("is another each time, and has 128 bits")
    func random() {
        let (one, other) = (DashboardToken(), DashboardToken())
        #expect(one.text != other.text)
        #expect(one.text.count == 32 && one.text.allSatisfy(\.isHexDigit))
        #expect(DashboardToken(one.text)?.text == one.text)
    }

    @Test("matches itself alone")
    func matches() throws {
        let token = try #require(DashboardToken("0123456789abcdef"))
        #expect(token.matches("0123456789abcdef"))
        for guess in ["", "0", "0123456789abcdeg", "1123456789abcdef", "0123456789abcdef0", "0123456789abcde", "0123456789abcdef0123456789abcdef"] {
            #expect(!token.matches(guess), "\(guess)")
        }
    }

    @Test(
        "that is chosen is long, and plain",
        arguments: ["", "short", "0123456789abcde", "0123456789abcde&", "0123456789abcdé0", String(repeating: "x", count: 257)])
    func wrong(text: String) {
        #expect(DashboardToken(text) == nil)
    }
}
