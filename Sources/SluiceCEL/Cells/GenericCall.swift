/// The slow way to call a function: with values, as the generic evaluator does, so that meaning and
/// messages are the same.
///
/// Every fast operation falls back to its own generic call for whatever it does not handle: other
/// types, an absent field, an overflow, a division by zero.
final class GenericCall: Sendable {
    let name: String
    private let implementation: Implementation
    private let keepsDigits: Bool
    private let range: Range<Int>
    /// The fields that arguments read directly, by argument index.
    private let fields: [FieldRead?]
    private let costLimit: Int

    init(_ call: Node.Call, at range: Range<Int>, arguments: [Operand], costLimit: Int) {
        name = call.name
        implementation = call.implementation
        keepsDigits = call.keepsDigits
        self.range = range
        self.costLimit = costLimit
        fields = arguments.map { argument in
            guard case .field(let field) = argument else { return nil }
            return field
        }
    }

    @inline(never)
    func callAsFunction(_ first: Cell, _ scratch: Scratch) -> Cell {
        let first = present(first, 0, scratch)
        return first.kind == .error ? .error : call([first], scratch)
    }

    @inline(never)
    func callAsFunction(_ first: Cell, _ second: Cell, _ scratch: Scratch) -> Cell {
        let first = present(first, 0, scratch)
        if first.kind == .error { return .error }
        let second = present(second, 1, scratch)
        return second.kind == .error ? .error : call([first, second], scratch)
    }

    /// For arguments that are neither absent nor errors.
    @inline(never)
    func call(_ arguments: [Cell], _ scratch: Scratch) -> Cell {
        do throws(EvaluationError) {
            var values: [Value] = []
            for argument in arguments {
                let value = try scratch.value(of: argument)
                values.append(keepsDigits ? value : value.computed)
            }
            return scratch.cell(of: try call(values))
        } catch {
            return scratch.fail(error.located(at: range))
        }
    }

    private func call(_ values: [Value]) throws(EvaluationError) -> Value {
        var meter = Meter(limit: costLimit)
        return try implementation.apply(values, &meter)
    }

    private func present(_ cell: Cell, _ index: Int, _ scratch: Scratch) -> Cell {
        guard cell.kind == .absent else { return cell }
        guard let field = fields[index] else { return scratch.fail(EvaluationError(.noSuchField, "no such field", at: range)) }
        return field.absent(scratch)
    }
}
