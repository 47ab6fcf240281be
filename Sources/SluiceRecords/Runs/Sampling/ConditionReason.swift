package import SluiceCEL

/// Explains why a condition holds for none of some records.
package struct ConditionReason {
    /// The explanation; `nil` if the records don't show a reason.
    package private(set) var text: String?
    private let program: Program
    private let records: [ValueMap]

    package init(_ program: Program, over records: [ValueMap]) {
        self.program = program
        self.records = Array(records.prefix(1000))
        text = reason(program.root)
    }

    private func reason(_ node: Node) -> String? {
        if case .all(let operands) = node.kind {
            // The first operand that never holds by itself; if each of them does at times, only
            // their combination fails.
            return operands.lazy.filter { isNeverTrue($0) }.compactMap { reason($0) }.first
        }
        if case .any(let operands) = node.kind {
            let reasons = operands.compactMap { reason($0) }
            return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
        }
        guard case .call(let call) = node.kind, call.arguments.count == 2 else { return nil }
        if case .constant(let constant) = call.arguments[1].kind { return reason(call.name, call.arguments[0], constant) }
        if case .constant(let constant) = call.arguments[0].kind { return reason(call.name, call.arguments[1], constant) }
        return nil
    }

    private func isNeverTrue(_ node: Node) -> Bool {
        let part = program.part(node)
        return records.allSatisfy { record in
            if case .success(.bool(true)) = part.evaluate(MapLookup(record, for: program)) { false } else { true }
        }
    }

    private static let comparisons = [
        Operator.equal, Operator.isIn, Operator.less, Operator.lessOrEqual, Operator.greater, Operator.greaterOrEqual,
    ]

    private func reason(_ name: String, _ operand: Node, _ constant: Value) -> String? {
        guard Self.comparisons.contains(name) else { return nil }
        let part = program.part(operand)
        let values = records.compactMap { try? part.evaluate(MapLookup($0, for: program)).get() }
        guard !values.isEmpty else { return nil }
        let bytes = Array(program.text.utf8)
        let shown = String(decoding: bytes[operand.range.clamped(to: 0..<bytes.count)], as: UTF8.self)
        let constants = if case .list(let elements) = constant { elements } else { [constant] }
        if values.allSatisfy(\.isText), constants.allSatisfy(\.isNumber), let first = constants.first {
            return "\(shown) is text, such as '\(values[0].plain)', which never equals a number: write '\(first.plain)' in quotes, or int(\(shown))"
        }
        if values.allSatisfy(\.isNumber), constants.allSatisfy(\.isText), let first = constants.first {
            return "\(shown) is a number, such as \(values[0].plain), which never equals text: write \(first.plain) without quotes"
        }
        return "\(shown) is " + Self.met(values)
    }

    /// The most frequent values.
    private static func met(_ values: [Value]) -> String {
        var counts: [(value: String, count: Int)] = []
        for value in values {
            let text = value.brief
            if let index = counts.firstIndex(where: { $0.value.isSame(as: text) }) {
                counts[index].count += 1
            } else if counts.count < 100 {
                counts.append((text, 1))
            }
        }
        let sorted = counts.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }.map(\.element)
        guard values.count > 1 else { return sorted.map(\.value).joined() }
        let shown = sorted.prefix(3).map { "\($0.value) (\($0.count)×)" }.joined(separator: ", ")
        return sorted.count > 3 ? shown + ", …" : shown
    }
}

extension Value {
    var isText: Bool {
        if case .string = self { true } else { false }
    }

    var isNumber: Bool {
        switch self {
        case .int, .uint, .double, .decimal: true
        default: false
        }
    }

    /// As a person would write it, shortened.
    var plain: String {
        if case .string(let text) = self { String(text.prefix(40)) } else { brief }
    }

    fileprivate var brief: String {
        let text = jsonText
        return text.count > 40 ? text.prefix(39) + "…" : text
    }
}
