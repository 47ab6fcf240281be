import SluiceCEL

/// `distinct(x)`: the number of distinct values.
struct DistinctAggregate: Aggregate {
    static let declaration = AggregateDeclaration(
        name: "distinct", takes: .value,
        summary: "the number of distinct values: exact up to 65,536, then an estimate with a standard error of 0.41 %",
        example: "distinct(ip)", make: { DistinctAggregate($0, &$1) })

    init?(_ arguments: AggregateArguments, _ checking: inout Checking) {}

    var type: CELType { .int }
    var accepted: CellKinds { .any }
    var refusal: String { "" }
    var intake: AggregateIntake { .key }
    var stateName: String { Self.declaration.name }

    func makeStates() -> any AggregateStates { DistinctStates() }
}

/// The hashes of a group's values while there are few, then the registers of an estimate.
final class DistinctStates: AggregateStates {
    static let mostExact = 65_536

    private struct State {
        var hashes = HashSet128()
        var registers: DistinctRegisters?
    }

    @exclusivity(unchecked) private var states: [State] = []
    private(set) var bytes = 0

    func grow(to groups: Int) {
        bytes += max(0, groups - states.count) * MemoryLayout<State>.stride
        states.grow(to: groups, State())
    }

    func add(
        _ values: UnsafePointer<Cell>, of rows: UnsafeBufferPointer<UInt32>, to groups: UnsafeBufferPointer<UInt32>, in batch: RecordBatch
    ) {
        for index in rows.indices {
            let key = values[Int(rows[index])]
            guard key.kind == .bytes, let start = key.textBytes.baseAddress else { continue }
            add(SipHash.fixed.hash(start, Int(key.count)), to: Int(groups[index]))
        }
    }

    func add(_ hash: Hash128, to group: Int) {
        guard states[group].registers == nil else {
            states[group].registers?.add(hash)
            return
        }
        let before = states[group].hashes.bytes
        guard states[group].hashes.insert(hash) else { return }
        bytes += states[group].hashes.bytes - before
        if states[group].hashes.count > Self.mostExact { estimate(group) }
    }

    private func estimate(_ group: Int) {
        var registers = DistinctRegisters()
        states[group].hashes.forEach { registers.add($0) }
        bytes += DistinctRegisters.count - states[group].hashes.bytes
        states[group] = State(registers: registers)
    }

    func merge(_ others: any AggregateStates, into groups: [UInt32]) {
        guard let others = others as? DistinctStates else { return }
        for (group, other) in zip(groups, others.states) {
            let group = Int(group)
            if let registers = other.registers {
                if states[group].registers == nil { estimate(group) }
                states[group].registers?.add(registers)
            } else {
                other.hashes.forEach { add($0, to: group) }
            }
        }
    }

    func result(of group: Int, _ scratch: Scratch) -> Cell {
        .int(states[group].registers.map { Int64($0.estimate) } ?? Int64(states[group].hashes.count))
    }

    func isSketch(_ group: Int) -> Bool? { states[group].registers != nil }

    /// 0, the number of hashes, and the sorted hashes; or 1 and the registers.
    func write(_ group: Int, to writer: inout StateWriter) {
        if let registers = states[group].registers {
            writer.write(1)
            registers.values.withUnsafeBufferPointer { writer.write($0) }
            return
        }
        writer.write(0)
        writer.write(states[group].hashes.count)
        for hash in states[group].hashes.sorted {
            writer.write(hash.high)
            writer.write(hash.low)
        }
    }

    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError) {
        guard try reader.number() == 0 else {
            guard let registers = DistinctRegisters(try reader.text()) else { throw CheckpointError("invalid registers") }
            states[group].registers = registers
            return
        }
        let count = try reader.count()
        guard count <= Self.mostExact else { throw CheckpointError("too many hashes") }
        for _ in 0..<count { add(Hash128(high: try reader.number(), low: try reader.number()), to: group) }
    }
}

/// HyperLogLog (P. Flajolet and others, 2007) with 65,536 registers and the estimator of O. Ertl
/// ("New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284), which
/// needs neither a correction for small counts nor logarithms.
private struct DistinctRegisters {
    private static let bits: UInt64 = 16
    static let count = 1 << 16
    /// The largest value of a register: all 48 remaining bits are zero.
    private static let largest = 49

    private(set) var values = [UInt8](repeating: 0, count: DistinctRegisters.count)

    init() {}

    init?(_ values: UnsafeBufferPointer<UInt8>) {
        guard values.count == Self.count, values.allSatisfy({ $0 <= Self.largest }) else { return nil }
        self.values = Array(values)
    }

    mutating func add(_ hash: Hash128) {
        let index = Int(hash.high >> (64 - Self.bits))
        let rest = hash.high << Self.bits | 1 << (Self.bits - 1)
        values[index] = max(values[index], UInt8(rest.leadingZeroBitCount + 1))
    }

    mutating func add(_ other: DistinctRegisters) {
        for index in values.indices { values[index] = max(values[index], other.values[index]) }
    }

    var estimate: Double {
        var counts = [Double](repeating: 0, count: Self.largest + 1)
        for value in values { counts[Int(value)] += 1 }
        let registers = Double(Self.count)
        var sum = registers * Self.tau(1 - counts[Self.largest] / registers)
        for value in (1..<Self.largest).reversed() { sum = 0.5 * (sum + counts[value]) }
        sum += registers * Self.sigma(counts[0] / registers)
        // 1 / (2 ln 2).
        return (0.721_347_520_444_481_7 * registers * registers / sum).rounded()
    }

    private static func sigma(_ share: Double) -> Double {
        guard share < 1 else { return .infinity }
        var (power, factor, sum) = (share, 1.0, share)
        while true {
            power *= power
            let last = sum
            sum += power * factor
            factor += factor
            if sum == last { return sum }
        }
    }

    private static func tau(_ share: Double) -> Double {
        guard share > 0, share < 1 else { return 0 }
        var (root, factor, sum) = (share, 1.0, 1 - share)
        while true {
            root = root.squareRoot()
            let last = sum
            factor *= 0.5
            sum -= (1 - root) * (1 - root) * factor
            if sum == last { return sum / 3 }
        }
    }
}
