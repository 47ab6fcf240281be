import Foundation
import Testing

@testable import SluiceCEL

@Suite("Sluice's own functions")
struct AdditionsTests {
    @Test(
        "times are rounded down in their zone, across changes of the clocks",
        arguments: [
            ("2025-03-30T00:30:00Z", "1d", "Europe/Berlin", "2025-03-29T23:00:00Z"), ("2025-03-30T20:00:00Z", "1d", "Europe/Berlin", "2025-03-29T23:00:00Z"),
            ("2025-10-26T20:00:00Z", "1d", "Europe/Berlin", "2025-10-25T22:00:00Z"), ("2025-10-26T00:30:00Z", "1h", "Europe/Berlin", "2025-10-26T00:00:00Z"),
            ("2025-10-26T01:30:00Z", "1h", "Europe/Berlin", "2025-10-26T01:00:00Z"), ("1969-12-31T23:59:59.5Z", "1m", "", "1969-12-31T23:59:00Z"),
            ("2024-02-29T12:00:00Z", "month", "", "2024-02-01T00:00:00Z"), ("2024-02-29T12:00:00Z", "year", "", "2024-01-01T00:00:00Z"),
            ("2023-01-01T12:00:00Z", "week", "", "2022-12-26T00:00:00Z"), ("2023-01-02T00:00:00Z", "week", "", "2023-01-02T00:00:00Z"),
            ("2024-08-31T12:00:00Z", "quarter", "", "2024-07-01T00:00:00Z"), ("2025-01-01T00:00:00.75Z", "500ms", "", "2025-01-01T00:00:00.5Z"),
            ("2025-01-01T03:00:00Z", "1d", "-05:00", "2024-12-31T05:00:00Z"), ("2025-01-05T00:00:00Z", "7d", "", "2025-01-02T00:00:00Z"),
        ])
    func truncated(time: String, unit: String, zone: String, expected: String) throws {
        let (moment, begin) = (try #require(Timestamp(time)), try #require(Timestamp(expected)))
        #expect(try TimeUnit(unit).beginning(moment, in: zone) == begin)
    }

    @Test("a time is never before the beginning of its unit, which is its own beginning")
    func units() throws {
        var seconds: Int64 = -3_000_000_000
        while seconds < 5_000_000_000 {
            seconds += 87_654_321
            let moment = try #require(Timestamp(seconds: seconds))
            for unit in ["1s", "7s", "1h", "1d", "3d", "week", "month", "quarter", "year"] {
                for zone in ["", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"] {
                    let begin = try TimeUnit(unit).beginning(moment, in: zone)
                    #expect(begin <= moment)
                    #expect(try TimeUnit(unit).beginning(begin, in: zone) == begin, "\(unit) in '\(zone)' of \(moment.description)")
                }
            }
        }
    }

    @Test("units that make no sense are errors", arguments: ["", "0s", "-1h", "hour", "1", "d", "0d", "9999999d", "1e3d"])
    func noUnits(text: String) {
        #expect(throws: EvaluationError.self) { try TimeUnit(text) }
    }

    @Test("a constant unit is checked and read once, whatever the zone")
    func constants() {
        #expect(problems("timestamp(time).truncate('1 hour')").first?.contains("\"1 hour\" is no unit of time") == true)
        let record: ValueMap = ["time": "2025-10-10T13:55:36Z", "unit": "1h", "zone": "+0200"]
        #expect(evaluated("string(timestamp(time).truncate('1d', zone)) == '2025-10-09T22:00:00Z'", record) == "true")
        for call in ["truncate(unit)", "truncate(unit, '')", "truncate(duration('1h'))"] {
            #expect(evaluated("timestamp(time).truncate('1h') == timestamp(time).\(call)", record) == "true")
        }
        #expect(evaluated("timestamp(time).truncate('1h', 7)", record).contains("truncate"))
        #expect(evaluated("time.truncate('1h')", record).contains("truncate"))
    }

    @Test(
        "user agents are sorted into families",
        arguments: [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91", "Edge 120 Windows desktop"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", "Firefox 121 Linux desktop"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.2 Safari/605.1.15", "Safari 17 macOS desktop"),
            ("Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Safari/537.36", "Chrome 119 Android tablet"),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/119.0 Mobile Safari/537.36", "Chrome 119 Android mobile"),
            ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer 11 Windows desktop"),
            ("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", "Internet Explorer 6 Windows desktop"),
            ("Opera/9.80 (Windows NT 6.1) Presto/2.12 Version/12.16", "Opera 12 Windows desktop"),
            ("python-requests/2.31.0", "Python Requests 2 - program"), ("MyApp/3.1 (Linux)", "MyApp 3 Linux program"), ("-", "- - - program"),
            ("", "Other - - program"), ("Mozilla/5.0", "Other - - desktop"), ("SomeBot/1.0 (+https://x.example)", "Other bot - - bot"),
            ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "Bingbot 2 - bot"), ("kube-probe/1.30", "kube-probe 1 - program"),
        ])
    func families(text: String, expected: String) {
        let map = UserAgent.read(text)
        let parts = ["family", "version", "os", "device"].map { name -> String in
            guard case .string(let part)? = map[name] else { return "-" }
            return part
        }
        #expect(parts.joined(separator: " ") == expected)
    }

    @Test("the page lists every family")
    func page() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/expressions.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let table = try #require(text.components(separatedBy: "<!-- user-agents").last?.components(separatedBy: "## ").first)
        for name in UserAgent.families.map(\.family) + UserAgent.systems.map(\.name) { #expect(table.contains(name), "\(name)") }
    }

    @Test("texts are padded by code points, within a limit")
    func padding() {
        #expect(evaluated("'\u{E9}'.pad_start(3, '\u{1F600}') == '\u{1F600}\u{1F600}\u{E9}'") == "true")
        #expect(evaluated("'abc'.pad_end(2) == 'abc' && 'abc'.pad_end(-9223372036854775807) == 'abc'") == "true")
        #expect(evaluated("size('a'.pad_end(1000000)) == 1000000") == "true")
        #expect(evaluated("'a'.pad_start(9223372036854775807)").contains("too large"))
        #expect(evaluated("'a'.pad_start(9, 'xy')").contains("must be one character"))
        #expect(evaluated("'a'.pad_start(9, '')").contains("must be one character"))
    }
}
