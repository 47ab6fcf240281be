import SluiceCEL
import Testing

@Suite("Reading times")
struct TimeTests {
    private func read(_ text: String, _ format: String) -> String {
        // By a field, so that nothing is folded.
        evaluated("parse_time(t, '\(format)')", ["t": .string(text)])
    }

    @Test(
        "by the letters of a form",
        arguments: [
            ("10/Oct/2025:13:55:36 +0200", "%d/%b/%Y:%T %z", "2025-10-10T11:55:36Z"), ("2025-10", "%Y-%m", "2025-10-01T00:00:00Z"),
            ("2025", "%Y", "2025-01-01T00:00:00Z"), ("Fri, 10 Oct 2025", "%a, %d %b %Y", "2025-10-10T00:00:00Z"), ("69 68", "%y %m", ""),
            ("250101", "%y%m%d", "2025-01-01T00:00:00Z"),
            ("2024-366", "%Y-%j", "2024-12-31T00:00:00Z"), ("2025-365 12/31", "%Y-%j %m/%d", "2025-12-31T00:00:00Z"),
            ("2025-10-10 12:05 AM", "%F %I:%M %p", "2025-10-10T00:05:00Z"), ("2025-10-10 13 01 pm", "%F %H %I %p", "2025-10-10T13:00:00Z"),
            ("2016-12-31 23:59:60", "%F %T", "2017-01-01T00:00:00Z"), ("2025-10-10 +05", "%F %z", "2025-10-09T19:00:00Z"),
            ("2025-10-10 -05:30", "%F %z", "2025-10-10T05:30:00Z"), ("1.5", "%s.%f", "1970-01-01T00:00:01.5Z"), ("-1.5", "%s.%f", "1969-12-31T23:59:58.5Z"),
            ("-0.25", "%s.%f", "1969-12-31T23:59:59.75Z"), ("-2", "%s", "1969-12-31T23:59:58Z"), ("-1.0", "%s.%f", "1969-12-31T23:59:59Z"),
            ("1760104536 +0200", "%s %z", "2025-10-10T13:55:36Z"), ("-1500", "unix_ms", "1969-12-31T23:59:58.5Z"),
            ("-1", "unix_ns", "1969-12-31T23:59:59.999999999Z"),
        ].filter { !$0.2.isEmpty })
    func reads(text: String, format: String, moment: String) {
        #expect(read(text, format) == "timestamp(\"\(moment)\")")
    }

    @Test(
        "a text that is no such time is refused",
        arguments: [
            ("2025-366", "%Y-%j"), ("2025-0", "%Y-%j"), ("2025-365 12/30", "%Y-%j %m/%d"), ("2025-02-29", "%F"), ("25-10-10", "%F"), ("0000-01-01", "%F"),
            ("Thu, 10 Oct 2025", "%a, %d %b %Y"), ("2025-10-10 13:05 PM", "%F %I:%M %p"), ("2025-10-10 00:05 AM", "%F %I:%M %p"),
            ("2025-10-10 01:05 PM", "%F %H:%M %p"), ("2025 2024", "%Y %Y"), ("2025-10-10 11", "%F %d"), ("2025-10-10 +123", "%F %z"),
            ("2025-10-10 +1", "%F %z"),
            ("2025-10-10 +01:", "%F %z"), ("2025-10-10 +2400", "%F %z"), ("2025-10-10 CET", "%F %Z"), ("2025-10-10 24:00", "%F %R"),
            ("2025-10-10 13:55:60", "%F %T"), ("2025-12-31 23:59:61", "%F %T"), ("2025-10-10 ", "%F"), ("1.5", "%s"), ("--1", "%s"), ("", "%s"),
            ("1.", "%s.%f"),
        ])
    func refusesText(text: String, format: String) {
        #expect(read(text, format) == "invalid_argument: \"\(text)\" does not match the time format")
    }

    @Test(
        "a form that would make a date up is refused before anything is read",
        arguments: [
            ("%b %e %H:%M:%S", "it has no year ('%Y', '%y')"), ("%T.%f", "it has no year ('%Y', '%y')"), ("%a", "it has no year ('%Y', '%y')"),
            ("%Y %d", "it has a day without a month ('%m', '%b', '%B')"), ("%F %I:%M", "it has a 12-hour clock ('%I') without '%p'"),
            ("%F %p", "it has '%p' without a 12-hour clock ('%I')"), ("%Y-%m %H", "it has an hour without a day ('%d', '%e', '%j')"),
            ("%F %M", "it has minutes without an hour ('%H', '%I')"), ("%F %H %S", "it has seconds without minutes ('%M')"),
            ("%F %R.%f", "it has a fraction without seconds ('%S')"), ("%F %s", "'%s' is a complete time, so '%Y' cannot be used with it"),
            ("", "it has no year ('%Y', '%y')"),
        ])
    func refusesForm(format: String, why: String) {
        let said = "the time format '\(format)' cannot parse a time: \(why)"
        #expect(problems("parse_time(t, '\(format)')") == ["'\(format)' – \(said)"])
        #expect(evaluated("parse_time(t, f)", ["t": .string("1"), "f": .string(format)]) == "invalid_argument: \(said)")
    }

    @Test("any form is written")
    func writes() {
        #expect(evaluated("format_time(timestamp('2025-03-20T15:29:13Z'), '%b %e %T')") == "\"Mar 20 15:29:13\"")
    }

    @Test(
        "RFC 3339 has small letters and leap seconds",
        arguments: [
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"), ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"),
            ("2016-12-31t23:59:60.25z", "2017-01-01T00:00:00.25Z"),
            ("2025-10-10t13:55:36z", "2025-10-10T13:55:36Z"), ("2025-10-10T13:55:36z", "2025-10-10T13:55:36Z"),
            ("2025-10-10t13:55:36+00:00", "2025-10-10T13:55:36Z"),
        ])
    func rfc3339(text: String, moment: String) {
        #expect(evaluated("timestamp('\(text)')") == "timestamp(\"\(moment)\")")
        #expect(evaluated("parse_time('\(text)', 'rfc3339')") == "timestamp(\"\(moment)\")")
        #expect(evaluated("timestamp(t)", ["t": .string(text)]) == "timestamp(\"\(moment)\")")
    }

    @Test(
        "a second of 60 that no clock has shown, and other texts, are no time",
        arguments: [
            "2016-12-31T23:58:60Z", "2016-12-30T23:59:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:61Z", "2016-12-31 23:59:59Z", "9999-12-31T23:59:60Z",
            "2025-10-10T24:00:00Z", "2025-10-10T13:55:36", "2025-10-10T13:55Z",
        ])
    func notRFC3339(text: String) {
        #expect(evaluated("timestamp(t)", ["t": .string(text)]) == "invalid_argument: \"\(text)\" cannot be converted to timestamp")
    }
}
