/// The families of user agents: what a header of web browsers, crawlers and programs says, by a
/// small table. The first entry whose word is in the text counts.
enum UserAgent {
    /// `family`, and if they are known `version` (its first number), `os` and `device`.
    static func read(_ text: String) -> ValueMap {
        let text = AgentText(text)
        var map = ValueMap()
        let found = families.first { text.has($0.word) }
        let isBot = found?.isBot ?? text.isNamedLikeBot
        let word = found?.word ?? (isBot ? "" : text.product)
        map.set("family", to: .string(found?.family ?? (isBot ? "Other bot" : word.isEmpty ? "Other" : word)))
        if let version = text.number(after: found?.versionWord ?? word) { map.set("version", to: .string(version)) }
        if let system = systems.first(where: { text.has($0.word) }) { map.set("os", to: .string(system.name)) }
        map.set("device", to: .string(isBot ? "bot" : text.device(isProgram: found?.isProgram ?? !text.isLikeBrowser)))
        return map
    }

    struct Family {
        let word: String
        let family: String
        var isBot = false
        var isProgram = false
        /// What the version follows, if that is another word.
        var versionWord: String?
    }

    /// Specific names come before those that they contain: nearly all browsers call themselves
    /// Safari, and many Chrome.
    static let families: [Family] =
        [
            ("Googlebot", "Googlebot"), ("bingbot", "Bingbot"), ("YandexBot", "YandexBot"), ("Baiduspider", "Baiduspider"), ("DuckDuckBot", "DuckDuckBot"),
            ("Applebot", "Applebot"), ("GPTBot", "GPTBot"), ("ClaudeBot", "ClaudeBot"), ("CCBot", "CCBot"), ("AhrefsBot", "AhrefsBot"),
            ("SemrushBot", "SemrushBot"), ("MJ12bot", "MJ12bot"), ("facebookexternalhit", "Facebook"), ("Slurp", "Yahoo! Slurp"),
            ("UptimeRobot", "UptimeRobot"), ("Pingdom", "Pingdom"),
        ].map { Family(word: $0.0, family: $0.1, isBot: true) }
        + [
            ("curl/", "curl"), ("Wget/", "Wget"), ("python-requests/", "Python Requests"), ("Python-urllib/", "Python urllib"), ("aiohttp/", "aiohttp"),
            ("Go-http-client/", "Go"), ("okhttp/", "OkHttp"), ("Apache-HttpClient/", "Apache HttpClient"), ("Java/", "Java"), ("axios/", "axios"),
            ("node-fetch/", "node-fetch"), ("libwww-perl/", "libwww-perl"), ("PostmanRuntime/", "Postman"), ("kube-probe/", "kube-probe"),
        ].map { Family(word: $0.0, family: $0.1, isProgram: true) }
        + [
            Family(word: "Edg/", family: "Edge"), Family(word: "EdgA/", family: "Edge"), Family(word: "EdgiOS/", family: "Edge"),
            Family(word: "Edge/", family: "Edge"), Family(word: "OPR/", family: "Opera"), Family(word: "Opera", family: "Opera", versionWord: "Version/"),
            Family(word: "Vivaldi/", family: "Vivaldi"), Family(word: "SamsungBrowser/", family: "Samsung Internet"),
            Family(word: "YaBrowser/", family: "Yandex Browser"), Family(word: "FxiOS/", family: "Firefox"), Family(word: "Firefox/", family: "Firefox"),
            Family(word: "CriOS/", family: "Chrome"), Family(word: "Chromium/", family: "Chromium"), Family(word: "HeadlessChrome/", family: "Chrome"),
            Family(word: "Chrome/", family: "Chrome"), Family(word: "MSIE ", family: "Internet Explorer"),
            Family(word: "Trident/", family: "Internet Explorer", versionWord: "rv:"), Family(word: "Safari/", family: "Safari", versionWord: "Version/"),
        ]

    static let systems: [(word: String, name: String)] = [
        ("iPhone", "iOS"), ("iPad", "iOS"), ("iPod", "iOS"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"),
        ("Macintosh", "macOS"), ("FreeBSD", "FreeBSD"), ("Linux", "Linux"), ("X11", "Linux"),
    ]
}

/// The bytes of a user agent's text.
private struct AgentText {
    private let bytes: [UInt8]

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    func has(_ word: String) -> Bool { end(of: word, in: bytes) != nil }

    var isLikeBrowser: Bool { bytes.starts(with: "Mozilla/".utf8) }

    var isNamedLikeBot: Bool {
        let lower = bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        let words = ["bot/", "bot;", "-bot", "bot)", "crawl", "spider", "+http"]
        return words.contains { end(of: $0, in: lower) != nil } || lower.suffix(3).elementsEqual("bot".utf8)
    }

    func device(isProgram: Bool) -> String {
        if isProgram { return "program" }
        if has("iPad") || has("Tablet") || has("Android") && !has("Mobile") { return "tablet" }
        return has("Mobi") || has("iPhone") || has("iPod") ? "mobile" : "desktop"
    }

    /// The name before the first `/`, as programs write it: `MyApp/1.0`.
    var product: String {
        let name = String(decoding: bytes.prefix { !"/ (".utf8.contains($0) }, as: UTF8.self)
        return name == "Mozilla" ? "" : name
    }

    func number(after word: String) -> String? {
        guard !word.isEmpty, let end = end(of: word, in: bytes) else { return nil }
        let digits = bytes[end...].drop { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: " ") }.prefix(9).prefix { $0 &- 0x30 < 10 }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }

    /// Where the first occurrence of a word ends.
    private func end(of word: String, in bytes: [UInt8]) -> Int? {
        let word = Array(word.utf8)
        guard let first = word.first, bytes.count >= word.count else { return nil }
        for start in 0...bytes.count - word.count where bytes[start] == first && bytes[start..<start + word.count].elementsEqual(word) {
            return start + word.count
        }
        return nil
    }
}
