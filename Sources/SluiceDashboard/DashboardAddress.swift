/// Where a dashboard listens.
package struct DashboardAddress: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    /// 0: a free one.
    package var port: Int

    /// This machine alone, a free port.
    package static let standard = DashboardAddress(host: "127.0.0.1", port: 0)

    package init(host: String, port: Int) {
        (self.host, self.port) = (host, port)
    }

    /// - Parameter text: `HOST:PORT`, an IPv6 address in brackets; `nil` if it is something else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        let isName = host.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "-._:%".utf8.contains(byte)
        }
        guard !host.isEmpty, isName else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    /// Whether only programs of this machine can connect.
    package var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// As it is written in an address.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
