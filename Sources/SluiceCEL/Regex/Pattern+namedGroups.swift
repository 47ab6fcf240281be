extension Pattern {
    /// The pattern with `(?<name>` written as `(?P<name>`, the only form that RE2 knows before
    /// 2023.
    static func withNamedGroupsSpelledOut(_ text: String) -> String {
        guard text.contains("(?<") else { return text }
        var output: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            let taken: Int
            switch byte {
            case UInt8(ascii: "\\"): taken = escapeLength(rest)
            case UInt8(ascii: "["): taken = classLength(rest)
            default:
                taken = 1
                if rest.starts(with: "(?<".utf8), let next = rest.dropFirst(3).first, !"=!".utf8.contains(next) {
                    output.append(contentsOf: "(?P".utf8)
                    rest = rest.dropFirst(2)
                    continue
                }
            }
            output.append(contentsOf: rest.prefix(taken))
            rest = rest.dropFirst(taken)
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Two bytes, or all of `\Q…\E`.
    private static func escapeLength(_ text: ArraySlice<UInt8>) -> Int {
        guard text.dropFirst().first == UInt8(ascii: "Q") else { return 2 }
        var at = text.startIndex + 2
        while at < text.endIndex, !text[at...].starts(with: "\\E".utf8) { at += 1 }
        return at + 2 - text.startIndex
    }

    /// From `[` to its `]`; a `]` right at the start and those of `[:alpha:]` do not end a class.
    private static func classLength(_ text: ArraySlice<UInt8>) -> Int {
        var at = text.startIndex + 1
        if at < text.endIndex, text[at] == UInt8(ascii: "^") { at += 1 }
        if at < text.endIndex, text[at] == UInt8(ascii: "]") { at += 1 }
        while at < text.endIndex, text[at] != UInt8(ascii: "]") {
            if text[at] == UInt8(ascii: "\\") {
                at += 2
            } else if text[at...].starts(with: "[:".utf8) {
                at += 2
                while at < text.endIndex, !text[at...].starts(with: ":]".utf8) { at += 1 }
                at += 2
            } else {
                at += 1
            }
        }
        return min(at + 1, text.endIndex) - text.startIndex
    }
}
