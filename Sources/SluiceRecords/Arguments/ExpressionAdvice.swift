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
            if let operatorSign = operators[found.lowercased()] { return "'\(found)' is written \(operatorSign) here" }
            if word(before: range.lowerBound, in: bytes) == "not" { return "'not' is written ! here: !(…)" }
        }
        if message.hasPrefix("unexpected character '='") { return "compare with ==" }
        if message.hasPrefix("the time format '"), !name(in: message).contains("%") {
            return "name the parts of the time, as in '%Y-%m-%d %H:%M:%S'"
        }
        if message.hasSuffix("is no escape sequence") { return "write a text with backslashes, such as a pattern, as r'…': r'\(found)'" }
        if message.hasPrefix("unknown function '"), let meant = functions[name(in: message).lowercased()] { return meant }
        if message.hasPrefix("no such field '"), let meant = constants[name(in: message)] { return meant }
        if message.hasSuffix("does not go with timestamp and string") || message.hasSuffix("does not go with string and timestamp") {
            return "write the time as one: timestamp('2026-03-01T00:00:00Z')"
        }
        if message.hasSuffix("does not go with duration and string") || message.hasSuffix("does not go with string and duration") {
            return "write the duration as one: duration('90m')"
        }
        if let types = numberAndText(message) { return types }
        return nil
    }

    private static let operators = ["and": "&&", "or": "||", "is": "==", "equals": "==", "eq": "==", "ne": "!=", "like": ".contains('…') or .matches('…')"]

    private static let functions: [String: String] = [
        "len": "the length of a text, a list or a map is size(x)",
        "length": "the length of a text, a list or a map is size(x)",
        "strlen": "the length of a text is size(x)",
        "not": "'not' is written ! here: !(…)",
        "str": "a value as text is string(x)",
        "tostring": "a value as text is string(x)",
        "to_string": "a value as text is string(x)",
        "float": "a text as a number is double(x)",
        "number": "a text as a number is int(x) or double(x)",
        "tonumber": "a text as a number is int(x) or double(x)",
        "substr": "a part of a text is x.substring(from, to)",
        "tolower": "a text in small letters is x.lower()",
        "to_lower": "a text in small letters is x.lower()",
        "toupper": "a text in capital letters is x.upper()",
        "to_upper": "a text in capital letters is x.upper()",
        "regexp": "whether a pattern matches is x.matches(r'…')",
        "match": "whether a pattern matches is x.matches(r'…')",
        "strptime": "a text as a time is parse_time(text, format)",
        "strftime": "a time as text is format_time(time, format)",
        "now": "there is no clock in expressions: a run gives the same whenever it is run; hand the time in as a parameter",
        "isnull": "whether a record has a field is has(record.x)",
        "is_null": "whether a record has a field is has(record.x)",
        "exists": "whether a record has a field is has(record.x)",
        "coalesce": "a value or another one is record.?x.orValue(y)",
        "ifnull": "a value or another one is record.?x.orValue(y)",
        "if": "a choice is written: condition ? this : that",
        "iif": "a choice is written: condition ? this : that",
    ]

    private static let constants = [
        "True": "it is written true here", "False": "it is written false here", "TRUE": "it is written true here", "FALSE": "it is written false here",
        "None": "it is written null here; whether a record has a field is has(record.x)", "nil": "it is written null here",
        "NULL": "it is written null here; whether a record has a field is has(record.x)", "undefined": "whether a record has a field is has(record.x)",
    ]

    /// `'>=' does not go with string and int`: text is compared with a number.
    private static func numberAndText(_ message: String) -> String? {
        guard message.contains("does not go with") else { return nil }
        let numbers = ["int", "double", "uint"]
        if numbers.contains(where: { message.hasSuffix(" string and \($0)") || message.hasSuffix(" \($0) and string") }) {
            return "make a number of the text with int(x) or double(x), or text of the number by quoting it"
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
