import SluiceCEL

/// `matches` on constant patterns, compared with a search using only RE2.
func measurePatterns(containing filter: String) {
    let cases: [(pattern: String, texts: [[UInt8]])] = [
        ("^/api/v[0-9]+/users/[0-9]+$", Texts.paths),
        ("\\.(css|js|png|ico)$", Texts.paths),
        ("bot", Texts.agents),
        ("(bot|crawl|spider)", Texts.agents),
        ("Chrome/[0-9]+\\.[0-9]+.*Safari", Texts.agents),
        ("^Mozilla/5\\.0 \\(X11; Linux", Texts.agents),
        ("(?i)googlebot", Texts.agents),
    ]
    print(padded("pattern", 34), padded("ns a text", 12), padded("RE2 alone", 12), "matches")
    for (text, texts) in cases where filter.isEmpty || text.contains(filter) {
        guard let pattern = try? Pattern(text) else { fatalError("refused: \(text)") }
        let none = UnsafeMutableBufferPointer<Pattern.Capture>(start: nil, count: 0)
        let ours = best(items: texts.count) { texts.count { $0.withUnsafeBufferPointer { pattern.matches($0) } } }
        let alone = best(items: texts.count) { texts.count { $0.withUnsafeBufferPointer { pattern.find(in: $0, into: none) } } }
        precondition(ours.result == alone.result)
        print(padded(text, 34), padded(oneDecimal(ours.nanoseconds), 12), padded(oneDecimal(alone.nanoseconds), 12), ours.result)
    }
}
