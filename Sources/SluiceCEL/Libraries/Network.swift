/// IP addresses and networks.
enum Network {
    static let functions: [Function] = [
        Function("ip(string) -> net.IP", implementation: .text("ip") { text throws(EvaluationError) in .ip(try address(text)) }),
        Function("cidr(string) -> net.CIDR", implementation: .text("cidr") { text throws(EvaluationError) in .cidr(try parsed(text)) }),
        Function("isIP(string) -> bool", implementation: .text("isIP") { text in .bool(IPAddress(text) != nil) }),
        Function("isCIDR(string) -> bool", implementation: .text("isCIDR") { text in .bool(IPNetwork(text) != nil) }),
        Function(
            "ip.isCanonical(string) -> bool",
            implementation: .text("ip.isCanonical") { text throws(EvaluationError) in
                .bool(Text.areEqual(try address(text).description, text))
            }),
        Function("(net.IP).family() -> int", implementation: property("family") { .int($0.unmapped.isV4 ? 4 : 6) }),
        Function("(net.IP).isUnspecified() -> bool", implementation: property("isUnspecified") { .bool($0.isUnspecified) }),
        Function("(net.IP).isLoopback() -> bool", implementation: property("isLoopback") { .bool($0.isLoopback) }),
        Function("(net.IP).isGlobalUnicast() -> bool", implementation: property("isGlobalUnicast") { .bool($0.isGlobalUnicast) }),
        Function("(net.IP).isLinkLocalUnicast() -> bool", implementation: property("isLinkLocalUnicast") { .bool($0.isLinkLocalUnicast) }),
        Function("(net.IP).isLinkLocalMulticast() -> bool", implementation: property("isLinkLocalMulticast") { .bool($0.isLinkLocalMulticast) }),
        Function("(net.CIDR).ip() -> net.IP", implementation: networkProperty("ip") { .ip($0.address) }),
        Function("(net.CIDR).masked() -> net.CIDR", implementation: networkProperty("masked") { .cidr($0.masked) }),
        Function("(net.CIDR).isMask() -> bool", implementation: networkProperty("isMask") { .bool($0 == $0.masked) }),
        Function("(net.CIDR).prefixLength() -> int", implementation: networkProperty("prefixLength") { .int(Int64($0.prefixLength)) }),
        Function(
            "(net.CIDR).containsIP(net.IP) -> bool", "(net.CIDR).containsIP(string) -> bool",
            implementation: .pure { left, right throws(EvaluationError) in
                switch (left, right) {
                case (.cidr(let network), .ip(let other)): .bool(network.contains(other))
                case (.cidr(let network), .string(let text)): .bool(network.contains(try address(text)))
                default: throw .noOverload("containsIP", left, right)
                }
            }),
        Function(
            "(net.CIDR).containsCIDR(net.CIDR) -> bool", "(net.CIDR).containsCIDR(string) -> bool",
            implementation: .pure { left, right throws(EvaluationError) in
                switch (left, right) {
                case (.cidr(let network), .cidr(let other)): .bool(network.contains(other))
                case (.cidr(let network), .string(let text)): .bool(network.contains(try parsed(text)))
                default: throw .noOverload("containsCIDR", left, right)
                }
            }),
    ]

    private static func property(_ name: String, _ body: @escaping @Sendable (IPAddress) -> Value) -> Implementation {
        .pure { value throws(EvaluationError) in
            guard case .ip(let address) = value else { throw .noOverload(name, value) }
            return body(address)
        }
    }

    private static func networkProperty(_ name: String, _ body: @escaping @Sendable (IPNetwork) -> Value) -> Implementation {
        .pure { value throws(EvaluationError) in
            guard case .cidr(let network) = value else { throw .noOverload(name, value) }
            return body(network)
        }
    }

    private static func address(_ text: String) throws(EvaluationError) -> IPAddress {
        guard let address = IPAddress(text) else {
            throw .invalid("IP Address '\(text)' parse error during conversion from string\(hint(text))")
        }
        return address
    }

    private static func parsed(_ text: String) throws(EvaluationError) -> IPNetwork {
        guard let network = IPNetwork(text) else {
            throw .invalid("network address '\(text)' parse error during conversion from string\(hint(text))")
        }
        return network
    }

    private static func hint(_ text: String) -> String {
        if text.utf8.contains(UInt8(ascii: "%")) { return ": a zone is not allowed" }
        if text.utf8.contains(UInt8(ascii: ":")), text.utf8.contains(UInt8(ascii: ".")) {
            return ": an IPv4-mapped IPv6 address is not allowed"
        }
        return ""
    }
}
