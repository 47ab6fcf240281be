/// Functions of regular expressions: RE2's syntax, and time linear in the text.
enum Patterns {
    /// Functions that take the text first and the pattern second. Each closure binds a pattern; the
    /// result takes the text and the arguments after the pattern.
    private static let withPattern: [String: @Sendable (Pattern) -> Implementation.Variadic] = [
        "matches": { pattern in { values, _ throws(EvaluationError) in try matches(values, pattern) } },
        "regex.replace": { pattern in { values, meter throws(EvaluationError) in try replace(values, pattern, &meter) } },
        "regex.extract": { pattern in { values, _ throws(EvaluationError) in try extract(values, pattern) } },
        "regex.extractAll": { pattern in { values, meter throws(EvaluationError) in try extractAll(values, pattern, &meter) } },
        "extract": { pattern in { values, _ throws(EvaluationError) in try groups(values, pattern) } },
    ]

    static func takesPattern(_ name: String) -> Bool { withPattern[name] != nil }

    /// The function with its pattern compiled; nil for a function without a pattern.
    static func prepared(_ name: String, _ text: String) throws(EvaluationError) -> Implementation.Variadic? {
        guard let bind = withPattern[name] else { return nil }
        return bind(try pattern(text))
    }

    static let functions: [Function] = [
        function("matches", "matches(string, string) -> bool", "(string).matches(string) -> bool"),
        function("regex.replace", "regex.replace(string, string, string) -> string"),
        function("regex.replace", "regex.replace(string, string, string, int) -> string"),
        function("regex.extract", "regex.extract(string, string) -> optional_type(string)"),
        function("regex.extractAll", "regex.extractAll(string, string) -> list(string)"),
        function("extract", "(string).extract(string) -> map(string, string)"),
    ]

    /// How many steps compiling a pattern costs.
    private static let compilationCost = 500

    private static func function(_ name: String, _ signatures: String...) -> Function {
        Function(
            signatures,
            implementation: .variadic { values, meter throws(EvaluationError) in
                guard let bind = withPattern[name], case .string = values[0], case .string(let text) = values[1] else {
                    throw .noOverload(name, values)
                }
                try meter.charge(compilationCost)
                return try bind(try pattern(text))([values[0]] + values.dropFirst(2), &meter)
            })
    }

    private static func pattern(_ text: String) throws(EvaluationError) -> Pattern {
        do {
            return try Pattern(text)
        } catch {
            throw .invalid(error.description)
        }
    }

    private static func text(_ values: [Value], _ name: String) throws(EvaluationError) -> [UInt8] {
        guard case .string(let text) = values[0] else { throw .noOverload(name, values) }
        return Array(text.utf8)
    }

    private static func matches(_ values: [Value], _ pattern: Pattern) throws(EvaluationError) -> Value {
        guard case .string(let text) = values[0] else { throw .noOverload("matches", values) }
        return .bool(pattern.matches(text))
    }

    private static func replace(
        _ values: [Value], _ pattern: Pattern, _ meter: inout Meter
    ) throws(EvaluationError) -> Value {
        guard case .string(let text) = values[0], case .string(let other) = values[1] else { throw .noOverload("regex.replace", values) }
        var limit = -1
        if values.count > 2 {
            guard case .int(let given) = values[2] else { throw .noOverload("regex.replace", values) }
            limit = Int(given)
        }
        let replacement: Pattern.Replacement
        do {
            replacement = try Pattern.Replacement(other, for: pattern)
        } catch {
            throw .invalid(error.description)
        }
        let bytes = Array(text.utf8)
        // The maximum size of the result, before it is built.
        var matches = 0
        bytes.withUnsafeBufferPointer { bytes in
            pattern.forEachMatch(in: bytes, groups: 0) { _ in
                matches += 1
                return limit < 0 || matches < limit
            }
        }
        try meter.charge(bytes: matches * (16 + other.utf8.count) + bytes.count * (1 + other.utf8.count))
        let result = bytes.withUnsafeBufferPointer { pattern.replacing(in: $0, with: replacement, limit: limit) }
        return .string(String(decoding: result, as: UTF8.self))
    }

    /// The group to extract: the only one, or the whole match if there is none.
    private static func extractedGroup(_ pattern: Pattern) throws(EvaluationError) -> Int {
        guard pattern.groupCount <= 1 else {
            throw .invalid("the pattern '\(pattern.text)' has more than one capturing group")
        }
        return pattern.groupCount
    }

    private static func extract(_ values: [Value], _ pattern: Pattern) throws(EvaluationError) -> Value {
        let group = try extractedGroup(pattern)
        let bytes = try text(values, "regex.extract")
        var found: Value?
        bytes.withUnsafeBufferPointer { bytes in
            pattern.forEachMatch(in: bytes, groups: group) { captures in
                found = string(captures[group], bytes)
                return false
            }
        }
        return .optional(found)
    }

    private static func extractAll(
        _ values: [Value], _ pattern: Pattern, _ meter: inout Meter
    ) throws(EvaluationError) -> Value {
        let group = try extractedGroup(pattern)
        let bytes = try text(values, "regex.extractAll")
        var found: [Value] = []
        bytes.withUnsafeBufferPointer { bytes in
            pattern.forEachMatch(in: bytes, groups: group) { captures in
                if let text = string(captures[group], bytes) { found.append(text) }
                return true
            }
        }
        try meter.charge(found.count)
        return .list(found)
    }

    private static func groups(_ values: [Value], _ pattern: Pattern) throws(EvaluationError) -> Value {
        let bytes = try text(values, "extract")
        var map = ValueMap()
        bytes.withUnsafeBufferPointer { bytes in
            pattern.forEachMatch(in: bytes, groups: pattern.groupCount) { captures in
                for (index, name) in pattern.groupNames.enumerated() {
                    if let name, let text = string(captures[index + 1], bytes) { map.set(name, to: text) }
                }
                return false
            }
        }
        return .map(map)
    }

    private static func string(_ capture: Pattern.Capture, _ bytes: UnsafeBufferPointer<UInt8>) -> Value? {
        guard capture.isMatched else { return nil }
        return .string(String(decoding: UnsafeBufferPointer(rebasing: bytes[capture.range]), as: UTF8.self))
    }
}
