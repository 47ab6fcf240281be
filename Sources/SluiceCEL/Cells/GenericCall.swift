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

    /// - Parameter mark: when the evaluation of the argument began: what it has made is not needed
    ///   after the call.
    @inline(never)
    func callAsFunction(_ first: Cell, _ scratch: Scratch, since mark: Scratch.Mark? = nil) -> Cell {
        let first = present(first, 0, scratch)
        return first.kind == .error ? .error : call([first], scratch, since: mark)
    }

    @inline(never)
    func callAsFunction(_ first: Cell, _ second: Cell, _ scratch: Scratch) -> Cell {
        let first = present(first, 0, scratch)
        if first.kind == .error { return .error }
        let second = present(second, 1, scratch)
        return second.kind == .error ? .error : call([first, second], scratch)
    }

    /// For arguments that are neither absent nor errors.
    ///
    /// - Parameter mark: when the evaluation of the arguments began: what they have made is not
    ///   needed after the call.
    @inline(never)
    func call(_ arguments: [Cell], _ scratch: Scratch, since mark: Scratch.Mark? = nil) -> Cell {
        do throws(EvaluationError) {
            var values: [Value] = []
            for argument in arguments {
                let value = try scratch.value(of: argument)
                values.append(keepsDigits ? value : value.computed)
            }
            let value = try call(values)
            if let mark { scratch.rewind(to: mark) }
            let cell = scratch.cell(of: value)
            return scratch.hasRoom(for: 0) ? cell : tooMuch(scratch)
        } catch {
            return scratch.fail(error.located(at: range))
        }
    }

    /// The failure of a call whose result has no room.
    @inline(never)
    func tooMuch(_ scratch: Scratch) -> Cell { scratch.fail(.tooMuch(scratch.room).located(at: range)) }

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
