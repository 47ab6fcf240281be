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
            "error(string) -> dyn",
            implementation: .text("error") { message throws(EvaluationError) in
                throw EvaluationError(.user, message)
            }),
    ]
}
