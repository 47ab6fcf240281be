/// The secret that every request must know.
package struct DashboardToken: Sendable {
    package let text: String

    /// The fewest characters of a token that a user chooses.
    package static let shortest = 16

    /// A random one, of 128 bits.
    package init() {
        var system = SystemRandomNumberGenerator()
        text = (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0 ... .max, using: &system), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// A chosen one; `nil` if it is too short, or has characters that mean something in addresses.
    package init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "-._~".utf8.contains(byte)
        }
        guard isPlain, text.utf8.count >= Self.shortest, text.utf8.count <= 256 else { return nil }
        self.text = text
    }

    /// Takes the same time for each guess of the same length, wherever it differs.
    package func matches(_ guess: some StringProtocol) -> Bool {
        let (own, guess) = (Array(text.utf8), Array(guess.utf8))
        var difference = own.count ^ guess.count
        for (index, byte) in guess.enumerated() { difference |= Int(own[index % own.count] ^ byte) }
        return difference == 0
    }
}
