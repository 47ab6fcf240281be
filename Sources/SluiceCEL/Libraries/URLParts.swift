/// Takes URLs apart according to RFC 3986, without validating them: a log holds what clients sent.
enum URLParts {
    /// `scheme user host port path query fragment`, only those that are present; the path always.
    static func read(_ text: String) -> ValueMap {
        var map = ValueMap()
        var rest = text[...]
        let fragment = cut(&rest, at: "#")
        let query = cut(&rest, at: "?")
        if let colon = rest.utf8.firstIndex(of: UInt8(ascii: ":")), isScheme(rest[..<colon]) {
            map.set("scheme", to: .string(rest[..<colon].lowercased()))
            rest = rest[rest.utf8.index(after: colon)...]
        }
        if rest.utf8.starts(with: "//".utf8) {
            rest = Substring(rest.utf8.dropFirst(2))
            let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            readAuthority(rest[..<slash], into: &map)
            rest = rest[slash...]
        }
        map.set("path", to: .string(String(rest)))
        if let query { map.set("query", to: .string(String(query))) }
        if let fragment { map.set("fragment", to: .string(String(fragment))) }
        return map
    }

    /// What follows the first `separator`; removes both from the text.
    private static func cut(_ text: inout Substring, at separator: Unicode.Scalar) -> Substring? {
        guard let index = text.unicodeScalars.firstIndex(of: separator) else { return nil }
        let after = text[text.unicodeScalars.index(after: index)...]
        text = text[..<index]
        return after
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, first.isIdentifierStart, first != UInt8(ascii: "_") else { return false }
        return text.utf8.allSatisfy { $0.isIdentifierStart || $0.isDigit || "+-.".utf8.contains($0) }
    }

    private static func readAuthority(_ text: Substring, into map: inout ValueMap) {
        var host = text
        if let at = host.utf8.lastIndex(of: UInt8(ascii: "@")) {
            map.set("user", to: .string(String(host[..<at])))
            host = host[host.utf8.index(after: at)...]
        }
        let end = host.utf8.lastIndex(of: UInt8(ascii: ":"))
        if let end, !host[end...].utf8.contains(UInt8(ascii: "]")), let port = Int64(host[host.utf8.index(after: end)...]) {
            map.set("port", to: .int(port))
            host = host[..<end]
        }
        map.set("host", to: .string(host.lowercased()))
    }

    /// `a=1&b=2`, with or without what a URL has before and after it, decoding percent and plus. A
    /// name that occurs more than once has the list of its values.
    static func readQuery(_ text: String) -> ValueMap {
        var map = ValueMap()
        for part in query(of: text[...]).utf8.split(separator: UInt8(ascii: "&")) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = decoded(pair[0])
            let value = Value.string(pair.count > 1 ? decoded(pair[1]) : "")
            switch map[name] {
            case nil: map.set(name, to: value)
            case .list(let values)?: map.set(name, to: .list(values + [value]))
            case let first?: map.set(name, to: .list([first, value]))
            }
        }
        return map
    }

    /// The query of a path or of a URL with a scheme; of any other text, all but a `?` before it.
    private static func query(of text: Substring) -> Substring {
        var rest = text
        let hasScheme = rest.utf8.firstIndex(of: UInt8(ascii: ":")).map { isScheme(rest[..<$0]) && rest[$0...].utf8.starts(with: "://".utf8) }
        guard rest.utf8.first == UInt8(ascii: "/") || hasScheme == true else {
            return rest.utf8.first == UInt8(ascii: "?") ? Substring(rest.utf8.dropFirst()) : rest
        }
        _ = cut(&rest, at: "#")
        return cut(&rest, at: "?") ?? ""
    }

    private static func decoded(_ text: Substring.UTF8View) -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first?.hexadecimalValue, let low = rest.dropFirst().first?.hexadecimalValue {
                bytes.append(UInt8(high << 4 | low))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
