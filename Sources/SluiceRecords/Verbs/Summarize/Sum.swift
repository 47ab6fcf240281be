import SluiceCEL

/// `sum(x)`: integers are added exactly, and give an int if it fits; doubles are added as if
/// without rounding.
struct SumAggregate: Aggregate {
    static let declaration = AggregateDeclaration(
        name: "sum", takes: .value, summary: "the exact sum of the numbers; doubles are rounded once, at the end; 0 if there are none",
        example: "sum(bytes)", make: { SumAggregate($0, &$1) })

    let type: CELType

    init?(_ arguments: AggregateArguments, _ checking: inout Checking) {
        guard let type = arguments.numberType("adds", &checking) else { return nil }
        self.type = type == .double ? .double : type == .int ? .int : .dyn
    }

    var accepted: CellKinds { .numbers }
    var refusal: String { "not a number" }
    var stateName: String { Self.declaration.name }

    func makeStates() -> any AggregateStates { SumStates() }
}

/// Exact sums, and the special values seen.
final class SumStates: AggregateStates {
    /// The kinds of values seen in a group.
    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let double = Seen(rawValue: 1)
        static let nan = Seen(rawValue: 2)
        static let infinity = Seen(rawValue: 4)
        static let negativeInfinity = Seen(rawValue: 8)
    }

    private struct State {
        /// The sum of the ints, which 2^64 of them cannot overflow.
        var whole: Int128 = 0
        /// The index, from 1, of the exact sum of finite doubles and of ints beyond 64 bits; 0 if
        /// there is none.
        var exact: UInt32 = 0
        var seen: Seen = []
    }

    @exclusivity(unchecked) private var states: [State] = []
    private let sums = ExactSums()

    func grow(to groups: Int) { states.grow(to: groups, State()) }

    var bytes: Int { states.capacity * MemoryLayout<State>.stride + sums.bytes }

    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch
    ) {
        states.withUnsafeMutableBufferPointer { states in
            for index in rows.indices {
                let value = values[Int(rows[index])]
                switch value.kind {
                case .int: states[Int(groups[index])].whole &+= Int128(value.intValue)
                case .uint: states[Int(groups[index])].whole &+= Int128(value.payload)
                case .double: add(value.doubleValue, to: &states[Int(groups[index])])
                case .decimal: add(decimal: value, to: &states[Int(groups[index])])
                default: continue
                }
            }
        }
    }

    @inline(__always)
    private func add(_ value: Double, to state: inout State) {
        guard value.isFinite else { return note(value, in: &state) }
        state.seen.insert(.double)
        sums.add(value, to: exact(&state))
    }

    /// Adds an integer of at most 38 digits exactly, any other number as the nearest double.
    @inline(never)
    private func add(decimal: Cell, to state: inout State) {
        let text = String(decoding: decimal.textBytes, as: UTF8.self)
        guard let whole = Int128(text) else { return add(Double(text) ?? .nan, to: &state) }
        sums.add(whole, to: exact(&state))
    }

    /// The index of the group's exact sum, which is created if needed.
    @inline(__always)
    private func exact(_ state: inout State) -> Int {
        if state.exact == 0 { state.exact = UInt32(sums.make() + 1) }
        return Int(state.exact) - 1
    }

    private func note(_ value: Double, in state: inout State) {
        state.seen.formUnion(value.isNaN ? [.double, .nan] : value < 0 ? [.double, .negativeInfinity] : [.double, .infinity])
    }

    func merge(_ others: any AggregateStates, into groups: [UInt32]) {
        guard let others = others as? SumStates else { return }
        for (group, other) in zip(groups, others.states) {
            let group = Int(group)
            states[group].whole &+= other.whole
            states[group].seen.formUnion(other.seen)
            if other.exact > 0 { sums.add(Int(other.exact) - 1, of: others.sums, to: exact(&states[group])) }
        }
    }

    func result(of group: Int, _ scratch: Scratch) -> Cell {
        let state = states[group]
        if state.exact == 0, !state.seen.contains(.double) {
            return Int64(exactly: state.whole).map { .int($0) } ?? .double(Double(state.whole))
        }
        switch total(of: group) {
        case .infinite(let value): return .double(value)
        case .finite(let digits):
            if !state.seen.contains(.double), let whole = digits.whole { return .int(whole) }
            return .double(digits.rounded)
        }
    }

    enum Total {
        /// Infinite, or NaN.
        case infinite(Double)
        case finite(ExactSums.Digits)
    }

    /// The sum of all values of a group.
    func total(of group: Int) -> Total {
        let state = states[group]
        if state.seen.contains(.nan) || state.seen.isSuperset(of: [.infinity, .negativeInfinity]) { return .infinite(.nan) }
        if state.seen.contains(.infinity) { return .infinite(.infinity) }
        if state.seen.contains(.negativeInfinity) { return .infinite(-.infinity) }
        let total = ExactSums()
        let sum = total.make()
        if state.exact > 0 { total.add(Int(state.exact) - 1, of: sums, to: sum) }
        total.add(state.whole, to: sum)
        return .finite(total.digits(of: sum))
    }

    /// The sum of the ints in two halves, the kinds of values seen, and the digits of the exact
    /// sum.
    func write(_ group: Int, to writer: inout StateWriter) {
        let state = states[group]
        writer.write(UInt64(truncatingIfNeeded: state.whole))
        writer.write(UInt64(truncatingIfNeeded: state.whole >> 64))
        writer.write(UInt64(state.seen.rawValue))
        let digits = state.exact > 0 ? sums.digits(of: Int(state.exact) - 1) : ExactSums.Digits()
        writer.write(digits.digits.count)
        guard !digits.digits.isEmpty else { return }
        writer.write(digits.isNegative ? 1 : 0)
        writer.write(digits.first)
        for digit in digits.digits { writer.write(UInt64(digit)) }
    }

    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError) {
        let low = try reader.number()
        let high = try reader.number()
        states[group].whole = Int128(Int64(bitPattern: high)) << 64 | Int128(low)
        let seen = try reader.number()
        guard seen < 16, seen & 14 == 0 || seen & 1 == 1 else { throw CheckpointError("invalid sum") }
        states[group].seen = Seen(rawValue: UInt8(seen))
        let count = try reader.count()
        guard count > 0 else { return }
        let isNegative = try reader.number() == 1
        let first = try reader.number()
        guard count <= ExactSums.Digits.most, first <= UInt64(ExactSums.Digits.most - count) else {
            throw CheckpointError("sum out of range")
        }
        var digits: [UInt32] = []
        for _ in 0..<count {
            guard let digit = UInt32(exactly: try reader.number()) else { throw CheckpointError("invalid digit of a sum") }
            digits.append(digit)
        }
        sums.add(ExactSums.Digits(isNegative: isNegative, digits: digits, first: Int(first)), to: exact(&states[group]))
    }
}
