/// Functions whose second argument, if constant, is prepared once rather than for each record.
enum Prepared {
    static func contains(_ name: String) -> Bool { Patterns.takesPattern(name) || name == "parse_time" || name == "truncate" }

    /// The function for the remaining arguments; nil if there is no such function.
    ///
    /// - Throws: if the argument is invalid, as every call with it would.
    static func function(_ name: String, _ argument: String) throws(EvaluationError) -> Implementation.Variadic? {
        if name == "truncate" { return try TimeUnit.truncation(to: argument) }
        guard name == "parse_time" else { return try Patterns.prepared(name, argument) }
        let format = try TimeFormat(reading: argument)
        return { values, _ throws(EvaluationError) in
            guard case .string(let text) = values[0] else { throw .noOverload(name, values) }
            return .timestamp(try format.read(text))
        }
    }
}
