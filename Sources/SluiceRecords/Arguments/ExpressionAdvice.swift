package import SluiceCEL

/// Translates constructs of other languages to CEL, for messages.
package enum ExpressionAdvice {
    /// The suggested replacement; `nil` if the mistake is not recognized.
    package static func fix(for diagnostic: SluiceCEL.Diagnostic, in text: String) -> String? {
        let message = diagnostic.message
        let bytes = Array(text.utf8)
        let range = diagnostic.range.clamped(to: 0..<bytes.count)
        let found = String(decoding: bytes[range], as: UTF8.self)
        if message.hasPrefix("expected an operator") {
            if let operatorSign = operators[found.lowercased()] { return "write \(operatorSign) instead of '\(found)'" }
            if word(before: range.lowerBound, in: bytes) == "not" { return "write ! instead of 'not': !(…)" }
        }
        let follower = bytes[range.upperBound...].first
        if message.hasPrefix("unexpected character '~'") || message.hasPrefix("unexpected character '='") && follower == UInt8(ascii: "~") {
            return "use x.matches(r'…') to match a pattern"
        }
        if message.hasPrefix("unexpected character '='") { return "use == to compare" }
        if message == "expected an expression, found '>'", bytes[..<range.lowerBound].last == UInt8(ascii: "<") { return "use != to compare" }
        if message == "expected ')', found ','", let sign = operatorIn(0..<range.lowerBound, of: bytes),
            bytes[sign.upperBound...].first(where: { $0 != UInt8(ascii: " ") }) == UInt8(ascii: "(")
        {
            return "write a list after 'in', such as [200, 304] or ['GET', 'HEAD']"
        }
        if message.hasPrefix("a value of type "), let meant = functions[name(in: message).lowercased()] { return meant }
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
        if message.hasPrefix("'in' cannot be applied to") { return membership(message, at: range, in: bytes) }
        if let types = numberAndText(message) { return types }
        return nil
    }

    /// The suggested replacement for an expression that has no value for a record.
    package static func fix(for error: EvaluationError, in text: String) -> String? {
        fix(for: SluiceCEL.Diagnostic(error.message, at: error.range ?? 0..<0), in: text)
    }

    private static let operators = [
        "and": "&&", "or": "||", "is": "==", "equals": "==", "eq": "==", "ne": "!=", "like": ".contains('…') or .matches('…')", "in": "in",
        "contains": ".contains('…')", "matches": ".matches(r'…')", "startswith": ".startsWith('…')", "endswith": ".endsWith('…')",
    ]

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
        "touppercase": "use x.upper() for upper case",
        "uppercase": "use x.upper() for upper case",
        "upcase": "use x.upper() for upper case",
        "ascii_upcase": "use x.upper() for upper case",
        "ucase": "use x.upper() for upper case",
        "tolowercase": "use x.lower() for lower case",
        "lowercase": "use x.lower() for lower case",
        "downcase": "use x.lower() for lower case",
        "ascii_downcase": "use x.lower() for lower case",
        "lcase": "use x.lower() for lower case",
        "starts_with": "use x.startsWith('…')",
        "ends_with": "use x.endsWith('…')",
        "includes": "use x.contains('…') for text, 'value in x' for a list",
        "list_contains": "write 'value in x' for a list",
        "concat": "write + to join texts: x + '-' + string(y)",
        "string_split": "use x.split(',')",
        "split_part": "use x.split(',')[0]",
        "splitax": "use x.split(',')",
        "strip": "use x.trim()",
        "to_int": "use int(x) to convert text to a number",
        "parse_int": "use int(x) to convert text to a number",
        "parseint": "use int(x) to convert text to a number",
        "to_float": "use double(x) to convert text to a number",
        "parsefloat": "use double(x) to convert text to a number",
        "round": "use math.round(x)",
        "floor": "use math.floor(x)",
        "ceil": "use math.ceil(x)",
        "ceiling": "use math.ceil(x)",
        "abs": "use math.abs(x)",
        "sqrt": "use math.sqrt(x)",
        "greatest": "use math.greatest(x, y)",
        "least": "use math.least(x, y)",
        "max": "use math.greatest(x, y) within a record; 'summarize' has max(x) over records",
        "min": "use math.least(x, y) within a record; 'summarize' has min(x) over records",
        "sum": "'summarize' has sum(x) over records",
        "avg": "'summarize' has mean(x) over records",
        "test": "use x.matches(r'…') to match a pattern",
        "regexp_matches": "use x.matches(r'…') to match a pattern",
        "regexp_like": "use x.matches(r'…') to match a pattern",
        "regexp_extract": "use regex.extract(x, r'…')",
        "regexp_replace": "use regex.replace(x, r'…', '…')",
        "gsub": "use regex.replace(x, r'…', '…')",
        "to_timestamp": "use timestamp(x), or parse_time(x, 'unix') for seconds since 1970",
        "todate": "use timestamp(x), or parse_time(x, '%Y-%m-%d')",
        "parse_timestamp": "use parse_time(text, format) to convert text to a time",
        "date_format": "use format_time(time, format) to convert a time to text",
        "format_timestamp": "use format_time(time, format) to convert a time to text",
        "epoch": "use int(time) for seconds since 1970",
        "year": "use time.getFullYear()",
        "month": "use time.getMonth() + 1",
        "day": "use time.getDate()",
        "hour": "use time.getHours()",
        "parse_json": "use the stage 'parse: {field: x, format: jsonl}'",
        "fromjson": "use the stage 'parse: {field: x, format: jsonl}'",
        "md5": "use x.sha256()",
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
        mixesTextAndNumbers(message) ? "convert the text with int(x) or double(x), or quote the number" : nil
    }

    /// Whether an operator between text and a number failed, as with the fields of csv, which are
    /// text unless the definition gives their types.
    static func mixesTextAndNumbers(_ message: String) -> Bool {
        guard message.hasPrefix("'"), !name(in: message).contains(where: \.isLetter) else { return false }
        return ["int", "double", "uint"].contains {
            message.hasSuffix("' cannot be applied to string and \($0)") || message.hasSuffix("' cannot be applied to \($0) and string")
        }
    }

    /// `'bot' in agent`: in other languages, texts are members of texts.
    private static func membership(_ message: String, at range: Range<Int>, in bytes: [UInt8]) -> String {
        guard message.hasSuffix(" string and string") || message.hasSuffix(" dyn and string") else {
            return "write a list after 'in', such as [200, 304] or ['GET', 'HEAD']"
        }
        guard let sign = operatorIn(range, of: bytes), let part = operand(before: sign.lowerBound, in: bytes),
            let whole = operand(after: sign.upperBound, in: bytes)
        else { return "write text.contains(part) to look for a text in another" }
        return "write \(whole).contains(\(part))"
    }

    /// Where the only `in` of a part of an expression is.
    private static func operatorIn(_ range: Range<Int>, of bytes: [UInt8]) -> Range<Int>? {
        if bytes[range].elementsEqual("in".utf8) { return range }
        var quote: UInt8?
        var found: Range<Int>?
        for index in range {
            let byte = bytes[index]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if bytes[index..<min(index + 4, range.upperBound)].elementsEqual(" in ".utf8) {
                guard found == nil else { return nil }
                found = index + 1..<index + 3
            }
        }
        return found
    }

    /// A field or a quoted text, if it is all that is on this side of an operator.
    private static func operand(before end: Int, in bytes: [UInt8]) -> String? {
        let side = bytes[..<end]
        guard let last = side.lastIndex(where: { $0 != UInt8(ascii: " ") }) else { return nil }
        let start: Int
        if isQuote(bytes[last]) {
            guard let opening = side[..<last].lastIndex(of: bytes[last]) else { return nil }
            start = opening
        } else {
            start = side[...last].lastIndex { !isInName($0) }.map { $0 + 1 } ?? 0
        }
        let before = side[..<start].last { $0 != UInt8(ascii: " ") }
        guard start <= last, before.map({ "(&|?:,[{".utf8.contains($0) }) ?? true else { return nil }
        return String(decoding: bytes[start...last], as: UTF8.self)
    }

    private static func operand(after start: Int, in bytes: [UInt8]) -> String? {
        let side = bytes[start...]
        guard let first = side.firstIndex(where: { $0 != UInt8(ascii: " ") }) else { return nil }
        let end: Int
        if isQuote(bytes[first]) {
            guard let closing = side[(first + 1)...].firstIndex(of: bytes[first]) else { return nil }
            end = closing + 1
        } else {
            end = side[first...].firstIndex { !isInName($0) } ?? bytes.count
        }
        let after = side[end...].first { $0 != UInt8(ascii: " ") }
        guard first < end, after.map({ ")&|?:,]}".utf8.contains($0) }) ?? true else { return nil }
        return String(decoding: bytes[first..<end], as: UTF8.self)
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") }

    private static func isInName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
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
