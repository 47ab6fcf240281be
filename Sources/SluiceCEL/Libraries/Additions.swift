/// What Sluice adds to the language.
enum Additions {
    static let functions: [Function] = [
        Function("(string).lower() -> string", implementation: .text("lower") { text in .string(text.lowercased()) }),
        Function("(string).upper() -> string", implementation: .text("upper") { text in .string(text.uppercased()) }),
        Function(
            "parse_time(string, string) -> timestamp", "(string).parse_time(string) -> timestamp",
            implementation: .texts("parse_time") { text, format throws(EvaluationError) in
                .timestamp(try TimeFormat(reading: format).read(text))
            }),
        Function(
            "format_time(timestamp, string) -> string", "(timestamp).format_time(string) -> string",
            implementation: .pure { moment, format throws(EvaluationError) in
                guard case .timestamp(let moment) = moment, case .string(let format) = format else {
                    throw .noOverload("format_time", moment, format)
                }
                return .string(try TimeFormat(format).write(moment, offset: 0))
            }),
        Function(
            "format_time(timestamp, string, string) -> string", "(timestamp).format_time(string, string) -> string",
            implementation: .pure { values throws(EvaluationError) in
                guard case .timestamp(let moment) = values[0], case .string(let format) = values[1], case .string(let zone) = values[2]
                else { throw .noOverload("format_time", values) }
                return .string(try TimeFormat(format).write(moment, offset: try Times.offset(of: zone, at: moment)))
            }),
        Function(
            "parse_url(string) -> map(string, dyn)", "(string).parse_url() -> map(string, dyn)",
            implementation: .text("parse_url") { text in .map(URLParts.read(text)) }),
        Function(
            "parse_query(string) -> map(string, dyn)", "(string).parse_query() -> map(string, dyn)",
            implementation: .text("parse_query") { text in .map(URLParts.readQuery(text)) }),
        Function(
            "parse_user_agent(string) -> map(string, string)", "(string).parse_user_agent() -> map(string, string)",
            implementation: .text("parse_user_agent") { text in .map(UserAgent.read(text)) }),
        Function("(string).pad_start(int) -> string", implementation: padding("pad_start", atStart: true)),
        Function("(string).pad_start(int, string) -> string", implementation: padding("pad_start", atStart: true)),
        Function("(string).pad_end(int) -> string", implementation: padding("pad_end", atStart: false)),
        Function("(string).pad_end(int, string) -> string", implementation: padding("pad_end", atStart: false)),
        Function(
            "error(string) -> dyn",
            implementation: .text("error") { message throws(EvaluationError) in
                throw EvaluationError(.user, message)
            }),
    ]

    /// Adds characters up to a width in code points; a longer text stays as it is.
    private static func padding(_ name: String, atStart: Bool) -> Implementation {
        .variadic { values, meter throws(EvaluationError) in
            guard case .string(let text) = values[0], case .int(let width) = values[1] else { throw .noOverload(name, values) }
            var fill = Unicode.Scalar(0x20 as UInt8)
            if values.count == 3 {
                guard case .string(let given) = values[2] else { throw .noOverload(name, values) }
                guard let scalar = given.unicodeScalars.first, given.unicodeScalars.count == 1 else {
                    throw .invalid("\(name): the padding must be one character, not \(Value.quotedBeginning(given))")
                }
                fill = scalar
            }
            let length = Int64(text.unicodeScalars.count)
            guard width > length else { return values[0] }
            let missing = width - length
            guard missing <= 1 << 20 else { throw .invalid("\(name): a width of \(width) is too large") }
            try meter.charge(bytes: 4 * Int(missing) + text.utf8.count)
            var padding = String.UnicodeScalarView()
            padding.append(contentsOf: repeatElement(fill, count: Int(missing)))
            return .string(atStart ? String(padding) + text : text + String(padding))
        }
    }
}
