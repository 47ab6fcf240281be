extension Evaluator {
    /// A list or a map takes more memory than its elements.
    private static let stepsForList = 3

    mutating func list(_ elements: [Node.Element]) -> Body {
        let elements = elements.map { (body: compile($0.value), isOptional: $0.isOptional, range: $0.value.range) }
        return { frame throws(EvaluationError) in
            try frame.meter.charge(elements.count + Self.stepsForList)
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for element in elements {
                let value = try element.body(&frame)
                if element.isOptional {
                    if let wrapped = try value.unwrappedOptional(at: element.range) { values.append(wrapped) }
                } else {
                    values.append(value)
                }
            }
            return .list(values)
        }
    }

    mutating func map(_ entries: [Node.Entry]) -> Body {
        let entries = entries.map {
            (key: compile($0.key), value: compile($0.value), isOptional: $0.isOptional, range: $0.key.range, valueRange: $0.value.range)
        }
        return { frame throws(EvaluationError) in
            try frame.meter.charge(2 * entries.count + Self.stepsForList)
            var map = ValueMap()
            for entry in entries {
                let key = try entry.key(&frame)
                var value = try entry.value(&frame)
                if entry.isOptional {
                    guard let wrapped = try value.unwrappedOptional(at: entry.valueRange) else { continue }
                    value = wrapped
                }
                do throws(EvaluationError) {
                    try map.insert(key, value)
                } catch {
                    throw error.located(at: entry.range)
                }
            }
            return .map(map)
        }
    }

    mutating func comprehension(_ node: Node.Comprehension) -> Body {
        let visit = Visit(node, source: compile(node.range))
        let filter = node.filter.map { Condition(body: compileRepeated($0), range: $0.range) }
        let body = compileRepeated(node.body)
        let condition = Condition(body: body, range: node.body.range)
        switch node.verb {
        case .all: return decided(visit, condition, decides: false)
        case .exists: return decided(visit, condition, decides: true)
        case .existsOne: return existsOne(visit, condition)
        case .list: return transformList(visit, filter, body)
        case .transformMap: return transformMap(visit, filter, body)
        case .transformMapEntry: return transformMapEntry(visit, filter, condition)
        case .sortBy: return sortBy(visit, condition)
        }
    }

    /// `all` and `exists`: an element that decides the result discards the errors of the others.
    private func decided(_ visit: Visit, _ condition: Condition, decides: Bool) -> Body {
        { frame throws(EvaluationError) in
            var failure: EvaluationError?
            var result = !decides
            try visit.each(&frame) { frame, _, _ throws(EvaluationError) in
                do throws(EvaluationError) {
                    guard try condition.holds(&frame) == decides else { return true }
                    result = decides
                    return false
                } catch {
                    guard error.code != .costLimit else { throw error }
                    failure = failure ?? error
                    return true
                }
            }
            if result != decides, let failure { throw failure }
            return .bool(result)
        }
    }

    private func existsOne(_ visit: Visit, _ condition: Condition) -> Body {
        { frame throws(EvaluationError) in
            var count = 0
            try visit.each(&frame) { frame, _, _ throws(EvaluationError) in
                if try condition.holds(&frame) { count += 1 }
                return true
            }
            return .bool(count == 1)
        }
    }

    private func transformList(_ visit: Visit, _ filter: Condition?, _ body: @escaping Body) -> Body {
        { frame throws(EvaluationError) in
            var values: [Value] = []
            try visit.each(&frame) { frame, _, _ throws(EvaluationError) in
                if try filter?.holds(&frame) ?? true { values.append(try body(&frame)) }
                return true
            }
            return .list(values)
        }
    }

    private func transformMap(_ visit: Visit, _ filter: Condition?, _ body: @escaping Body) -> Body {
        { frame throws(EvaluationError) in
            var map = ValueMap()
            try visit.each(&frame) { frame, key, _ throws(EvaluationError) in
                guard try filter?.holds(&frame) ?? true else { return true }
                try frame.meter.charge(2)
                try map.insert(key, try body(&frame))
                return true
            }
            return .map(map)
        }
    }

    private func transformMapEntry(_ visit: Visit, _ filter: Condition?, _ entries: Condition) -> Body {
        { frame throws(EvaluationError) in
            var map = ValueMap()
            try visit.each(&frame) { frame, _, _ throws(EvaluationError) in
                guard try filter?.holds(&frame) ?? true else { return true }
                let value = try entries.body(&frame)
                guard case .map(let made) = value else {
                    throw EvaluationError.noOverload("transformMapEntry", value).located(at: entries.range)
                }
                try frame.meter.charge(3 * made.count)
                for entry in made.entries {
                    do throws(EvaluationError) {
                        try map.insert(entry.key, entry.value)
                    } catch {
                        throw error.located(at: entries.range)
                    }
                }
                return true
            }
            return .map(map)
        }
    }

    private func sortBy(_ visit: Visit, _ key: Condition) -> Body {
        { frame throws(EvaluationError) in
            var keyed: [(key: Value, value: Value)] = []
            try visit.each(&frame) { frame, _, value throws(EvaluationError) in
                keyed.append((try key.body(&frame), value))
                return true
            }
            do throws(EvaluationError) {
                return .list(try Lists.sorted(keyed, &frame.meter))
            } catch {
                throw error.located(at: key.range)
            }
        }
    }
}

/// A body that must return a `bool`.
private struct Condition: Sendable {
    let body: Evaluator.Body
    let range: Range<Int>

    func holds(_ frame: inout Frame) throws(EvaluationError) -> Bool {
        let value = try body(&frame)
        guard case .bool(let result) = value else {
            throw EvaluationError(.type, "expected a bool, found \(value.type)", at: range)
        }
        return result
    }
}

/// Iterates over a list or a map and sets the variables of a macro.
private struct Visit: Sendable {
    let source: Evaluator.Body
    let range: Range<Int>
    let first: Int
    let second: Int?

    init(_ node: Node.Comprehension, source: @escaping Evaluator.Body) {
        self.source = source
        range = node.range.range
        first = node.first
        second = node.second
    }

    /// Calls `body` with key (or index) and value of each entry until it returns false.
    func each(
        _ frame: inout Frame, _ body: (inout Frame, Value, Value) throws(EvaluationError) -> Bool
    ) throws(EvaluationError) {
        let value = try source(&frame)
        switch value {
        case .list(let values):
            for (index, element) in values.enumerated() {
                let key = Value.int(Int64(index))
                frame.locals[first] = .value(second == nil ? element : key)
                if let second { frame.locals[second] = .value(element) }
                try frame.meter.charge(1)
                guard try body(&frame, key, element) else { return }
            }
        case .map(let map):
            for entry in map.entries {
                frame.locals[first] = .value(entry.key)
                if let second { frame.locals[second] = .value(entry.value) }
                try frame.meter.charge(1)
                guard try body(&frame, entry.key, entry.value) else { return }
            }
        default:
            throw EvaluationError(.type, "expected a list or a map, found \(value.type)", at: range)
        }
    }
}

extension Value {
    /// What is inside a value written with `?`.
    fileprivate func unwrappedOptional(at range: Range<Int>) throws(EvaluationError) -> Value? {
        guard case .optional(let wrapped) = self else {
            throw EvaluationError(.type, "'?' expects an optional value, found \(type)", at: range)
        }
        return wrapped
    }
}
