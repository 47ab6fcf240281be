import SluiceCEL

/// Translates constructs of other languages to CEL, for messages.
enum ExpressionAdvice {
    /// The suggested replacement; `nil` if the mistake is not recognized.
    static func fix(for diagnostic: SluiceCEL.Diagnostic, in text: String) -> String? {
        let message = diagnostic.message
        let bytes = Array(text.utf8)
        let range = diagnostic.range.clamped(to: 0..<bytes.count)
        let found = String(decoding: bytes[range], as: UTF8.self)
        if message.hasPrefix("expected an operator") {
            if let operatorSign = operators[found.lowercased()] { return "write \(operatorSign) instead of '\(found)'" }
            if word(before: range.lowerBound, in: bytes) == "not" { return "write ! instead of 'not': !(…)" }
        }
        if message.hasPrefix("unexpected character '='") { return "use == to compare" }
        if message.hasPrefix("the time format '"), !name(in: message).contains("%") {
            return "use directives, as in '%Y-%m-%d %H:%M:%S'"
        }
        if message.hasSuffix("is not an escape sequence") { return "write text with backslashes, such as a pattern, as r'…': r'\(found)'" }
        if message.hasPrefix("unknown function '"), let meant = functions[name(in: message).lowercased()] { return meant }
        if message.hasPrefix("no such field '"), let meant = constants[name(in: message)] { return meant }
        if message.hasSuffix("cannot be applied to timestamp and string") || message.hasSuffix("cannot be applied to string and timestamp") {
            return "convert the text to a time: timestamp('2026-03-01T00:00:00Z')"
        }
        if message.hasSuffix("cannot be applied to duration and string") || message.hasSuffix("cannot be applied to string and duration") {
            return "convert the text to a duration: duration('90m')"
        }
        if let types = numberAndText(message) { return types }
        return nil
    }

    private static let operators = ["and": "&&", "or": "||", "is": "==", "equals": "==", "eq": "==", "ne": "!=", "like": ".contains('…') or .matches('…')"]

    private static let functions: [String: String] = [
        "len": "use size(x) for the length of text, a list or a map",
        "length": "use size(x) for the length of text, a list or a map",
        "strlen": "use size(x) for the length of text",
        "not": "write ! instead of 'not': !(…)",
        "str": "use string(x) to convert a value to text",
        "tostring": "use string(x) to convert a value to text",
        "to_string": "use string(x) to convert a value to text",
        "float": "use double(x) to convert text to a number",
        "number": "use int(x) or double(x) to convert text to a number",
        "tonumber": "use int(x) or double(x) to convert text to a number",
        "substr": "use x.substring(from, to) for part of a text",
        "tolower": "use x.lower() for lower case",
        "to_lower": "use x.lower() for lower case",
        "toupper": "use x.upper() for upper case",
        "to_upper": "use x.upper() for upper case",
        "regexp": "use x.matches(r'…') to match a pattern",
        "match": "use x.matches(r'…') to match a pattern",
        "strptime": "use parse_time(text, format) to convert text to a time",
        "strftime": "use format_time(time, format) to convert a time to text",
        "date_trunc": "use time.truncate('1h') for the beginning of the hour, day, …",
        "time_bucket": "use time.truncate('1h') for the beginning of the hour, day, …",
        "bucket": "use time.truncate('1h') for the beginning of the hour, day, …",
        "trunc": "use math.trunc(x) for numbers, time.truncate('1h') for times",
        "user_agent": "use parse_user_agent(text)",
        "useragent": "use parse_user_agent(text)",
        "lpad": "use x.pad_start(width, '0')",
        "zfill": "use x.pad_start(width, '0')",
        "rjust": "use x.pad_start(width)",
        "rpad": "use x.pad_end(width)",
        "ljust": "use x.pad_end(width)",
        "now": "expressions cannot read the clock, so that every run gives the same result; pass the time as a parameter",
        "isnull": "use has(record.x) to test whether a record has a field",
        "is_null": "use has(record.x) to test whether a record has a field",
        "exists": "use has(record.x) to test whether a record has a field",
        "coalesce": "use record.?x.orValue(y) for a default",
        "ifnull": "use record.?x.orValue(y) for a default",
        "if": "write condition ? this : that",
        "iif": "write condition ? this : that",
    ]

    private static let constants = [
        "True": "write true", "False": "write false", "TRUE": "write true", "FALSE": "write false",
        "None": "write null, or has(record.x) to test whether a record has a field", "nil": "write null",
        "NULL": "write null, or has(record.x) to test whether a record has a field", "undefined": "use has(record.x) to test whether a record has a field",
    ]

    /// `'>=' does not go with string and int`: text is compared with a number.
    private static func numberAndText(_ message: String) -> String? {
        guard message.contains("cannot be applied to") else { return nil }
        let numbers = ["int", "double", "uint"]
        if numbers.contains(where: { message.hasSuffix(" string and \($0)") || message.hasSuffix(" \($0) and string") }) {
            return "convert the text with int(x) or double(x), or quote the number"
        }
        return nil
    }

    /// The quoted part of the message.
    private static func name(in message: String) -> String {
        let parts = message.split(separator: "'", omittingEmptySubsequences: false)
        return parts.count > 1 ? String(parts[1]) : ""
    }

    private static func word(before end: Int, in bytes: [UInt8]) -> String {
        let text = bytes[..<end].reversed().drop { $0 == UInt8(ascii: " ") }
        return String(decoding: text.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }.reversed(), as: UTF8.self)
    }
}
