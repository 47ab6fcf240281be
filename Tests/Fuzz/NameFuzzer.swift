import Foundation
import SluiceCEL

@testable import SluiceRecords

/// Reads bytes as patterns of file names, and as values that become part of a path.
struct NameFuzzer: Fuzzer {
    static let name = "name"

    init() {}

    var seeds: [[UInt8]] {
        ["*.log", "a{b,c{d,e}}[a-z!x]?\\*", "[^]-]*", "..", ".", "a/b", "", String(repeating: "x", count: 300), "é\u{0}%"].map { Array($0.utf8) }
    }

    func run(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        for pattern in (try? Braces.expand(text))?.prefix(20) ?? [] {
            guard let pattern = try? NamePattern(pattern[...], of: text) else { continue }
            _ = pattern.matches(bytes)
            if let literal = pattern.literal { require(pattern.matches(literal), "a literal does not match itself") }
        }
        let component = PartitionPath.component(text)
        require(!component.isEmpty && component != "." && component != "..", "a component leaves its folder")
        require(!component.utf8.contains(UInt8(ascii: "/")) && !component.utf8.contains(0), "a component is not a name")
        require(component.utf8.count <= 255, "a component is too long for a name")
    }
}
