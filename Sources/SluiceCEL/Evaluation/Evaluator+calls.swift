extension Evaluator {
    mutating func call(_ call: Node.Call, _ range: Range<Int>) -> Body {
        if let body = optionalAlternative(call) { return body }
        if let body = prepared(call, range) { return body }
        let keepsDigits = call.keepsDigits
        switch call.implementation {
        case .nullary(let apply):
            return { frame throws(EvaluationError) in
                try frame.meter.charge(1)
                return try apply()
            }
        case .unary(let apply):
            return unary(compile(call.arguments[0]), apply, keepsDigits, range)
        case .binary(let apply):
            return binary(compile(call.arguments[0]), compile(call.arguments[1]), apply, keepsDigits, range)
        case .variadic, .none:
            return variadic(call.arguments.map { compile($0) }, call.implementation, keepsDigits, range)
        }
    }

    private func unary(
        _ argument: @escaping Body, _ apply: @escaping Implementation.Unary, _ keepsDigits: Bool, _ range: Range<Int>
    ) -> Body {
        { frame throws(EvaluationError) in
            var value = try argument(&frame)
            if !keepsDigits { value = value.computed }
            do throws(EvaluationError) {
                try frame.meter.charge(1)
                try value.charge(&frame.meter)
                let result = try apply(value, &frame.meter)
                try result.charge(&frame.meter)
                return result
            } catch {
                throw error.located(at: range)
            }
        }
    }

    private func binary(
        _ left: @escaping Body, _ right: @escaping Body, _ apply: @escaping Implementation.Binary, _ keepsDigits: Bool,
        _ range: Range<Int>
    ) -> Body {
        { frame throws(EvaluationError) in
            var leftValue = try left(&frame)
            var rightValue = try right(&frame)
            if !keepsDigits { (leftValue, rightValue) = (leftValue.computed, rightValue.computed) }
            do throws(EvaluationError) {
                try frame.meter.charge(1)
                try leftValue.charge(&frame.meter)
                try rightValue.charge(&frame.meter)
                return try apply(leftValue, rightValue, &frame.meter)
            } catch {
                throw error.located(at: range)
            }
        }
    }

    private func variadic(_ arguments: [Body], _ implementation: Implementation, _ keepsDigits: Bool, _ range: Range<Int>) -> Body {
        { frame throws(EvaluationError) in
            var values: [Value] = []
            values.reserveCapacity(arguments.count)
            for argument in arguments {
                let value = try argument(&frame)
                values.append(keepsDigits ? value : value.computed)
            }
            do throws(EvaluationError) {
                try frame.meter.charge(1)
                for value in values { try value.charge(&frame.meter) }
                let result = try implementation.apply(values, &frame.meter)
                try result.charge(&frame.meter)
                return result
            } catch {
                throw error.located(at: range)
            }
        }
    }

    /// `or` and `orValue`, whose alternative is only computed if needed.
    private mutating func optionalAlternative(_ call: Node.Call) -> Body? {
        guard call.name == "or" || call.name == "orValue", call.arguments.count == 2 else { return nil }
        let givesOptional = call.name == "or"
        let range = call.arguments[0].range
        let target = compile(call.arguments[0])
        let alternative = compile(call.arguments[1])
        return { frame throws(EvaluationError) in
            let value = try target(&frame)
            guard case .optional(let wrapped) = value else {
                throw EvaluationError.noOverload(givesOptional ? "or" : "orValue", value).located(at: range)
            }
            if let wrapped { return givesOptional ? value : wrapped }
            let other = try alternative(&frame)
            if givesOptional, case .optional = other { return other }
            if givesOptional { throw EvaluationError.noOverload("or", value, other).located(at: range) }
            return other
        }
    }

    /// A function with a constant pattern or format, which is prepared here once.
    private mutating func prepared(_ call: Node.Call, _ range: Range<Int>) -> Body? {
        guard call.arguments.count >= 2, case .constant(.string(let text)) = call.arguments[1].kind, Prepared.contains(call.name) else { return nil }
        do throws(EvaluationError) {
            guard let apply = try Prepared.function(call.name, text) else { return nil }
            let rest = [call.arguments[0]] + call.arguments.dropFirst(2)
            return variadic(rest.map { compile($0) }, .variadic(apply), call.keepsDigits, range)
        } catch {
            let failure = error.located(at: range)
            return { _ throws(EvaluationError) in throw failure }
        }
    }
}
