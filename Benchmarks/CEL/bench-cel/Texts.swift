/// Synthetic requests in the form of an access log, the same in every run.
enum Texts {
    static let count = 20_000

    static let paths: [[UInt8]] = (0..<count).map { index in
        switch index * 7_919 % 4 {
        case 0: Array("/api/v\(index % 3)/users/\(index * 31)".utf8)
        case 1: Array("/api/v\(index % 3)/orders/\(index * 31)".utf8)
        case 2: Array("/static/img/\(index).png".utf8)
        default: Array("/presentations/2013/index.html".utf8)
        }
    }

    private static let browsers = [
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/33.0.1750.91 Safari/537.36",
        "curl/7.68.0",
    ]

    static let agents: [[UInt8]] = (0..<count).map { Array(browsers[$0 * 13 % browsers.count].utf8) }
}
