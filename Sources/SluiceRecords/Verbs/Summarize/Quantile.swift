import SluiceCEL

/// `quantile(x, q)`, and `p50` and the like: of the n sorted values, the one at position ⌊1 +
/// q(n-1)⌋.
struct QuantileAggregate: Aggregate {
    static let declarations =
        [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)].map { name, share in
            AggregateDeclaration(
                name: name, takes: .value, summary: "`quantile(x, \(share))`", example: "\(name)(duration_ms)",
                make: { QuantileAggregate(share, $0, &$1) })
        } + [
            AggregateDeclaration(
                name: "quantile", takes: .valueAndNumber,
                summary: "of n sorted numbers, the one at position ⌊1 + q(n-1)⌋: exact up to 65,536 numbers, then within 0.5 %",
                example: "quantile(duration_ms, 0.999)", make: { QuantileAggregate($0, &$1) })
        ]

    let type: CELType
    private let share: Double

    init?(_ share: Double, _ arguments: AggregateArguments, _ checking: inout Checking) {
        guard let type = arguments.numberType("takes", &checking) else { return nil }
        self.type = type == .double ? .double : .dyn
        self.share = share
    }

    init?(_ arguments: AggregateArguments, _ checking: inout Checking) {
        guard let share = arguments.number, (0...1).contains(share) else {
            checking.report("'\(arguments.name)' needs a share between 0 and 1", at: arguments.numberPlace?.place, fix: "0.5 is the median")
            return nil
        }
        self.init(share, arguments, &checking)
    }

    var accepted: CellKinds { .numbers }
    var refusal: String { "not a number" }
    var stateName: String { "quantiles" }

    func makeStates() -> any AggregateStates { QuantileStates() }

    func result(_ states: any AggregateStates, of group: Int, _ scratch: Scratch) -> Cell {
        (states as? QuantileStates)?.quantile(share, of: group) ?? .absent
    }
}

/// The values of a group while there are few, then the bins of a sketch.
final class QuantileStates: AggregateStates {
    /// The number of values to keep before switching to a sketch.
    static let mostExact = 65_536

    private struct State {
        /// Bit patterns: of ints as long as there are only ints, else of doubles.
        var values: [UInt64] = []
        var isWhole = true
        var sketch: QuantileSketch?
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
            let cell = values[Int(rows[index])]
            let group = Int(groups[index])
            switch cell.kind {
            case .int: add(whole: cell.intValue, to: group)
            case .double: add(cell.doubleValue, to: group)
            case .uint:
                if let whole = Int64(exactly: cell.payload) { add(whole: whole, to: group) } else { add(Double(cell.payload), to: group) }
            case .decimal: add(CellOrder.double(cell), to: group)
            default: continue
            }
        }
    }

    @inline(__always)
    func add(whole: Int64, to group: Int) {
        guard states[group].isWhole, states[group].sketch == nil else { return add(Double(whole), to: group) }
        append(UInt64(bitPattern: whole), to: group)
    }

    func add(_ value: Double, to group: Int) {
        if let sketch = states[group].sketch { return count(sketch) { $0.add(value) } }
        if states[group].isWhole { makeDoubles(of: group) }
        append((value.isNaN ? .nan : value).bitPattern, to: group)
    }

    @inline(__always)
    private func append(_ bits: UInt64, to group: Int) {
        states[group].values.append(bits)
        bytes += 8
        if states[group].values.count > Self.mostExact { makeSketch(of: group) }
    }

    /// Counts by how much a sketch grows.
    @inline(__always)
    private func count(_ sketch: QuantileSketch, _ change: (QuantileSketch) -> Void) {
        let before = sketch.bytes
        change(sketch)
        bytes += sketch.bytes - before
    }

    @inline(never)
    private func makeDoubles(of group: Int) {
        states[group].isWhole = false
        for index in states[group].values.indices {
            states[group].values[index] = Double(Int64(bitPattern: states[group].values[index])).bitPattern
        }
    }

    @inline(never)
    private func makeSketch(of group: Int) {
        let sketch = QuantileSketch()
        for bits in states[group].values { sketch.add(states[group].isWhole ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)) }
        bytes += sketch.bytes - 8 * states[group].values.count
        states[group] = State(isWhole: false, sketch: sketch)
    }

    func merge(_ others: any AggregateStates, into groups: [UInt32]) {
        guard let others = others as? QuantileStates else { return }
        for (group, other) in zip(groups, others.states) {
            let group = Int(group)
            if let sketch = other.sketch {
                if states[group].sketch == nil { makeSketch(of: group) }
                if let own = states[group].sketch { count(own) { $0.add(sketch) } }
                continue
            }
            if !other.isWhole, states[group].isWhole { makeDoubles(of: group) }
            if states[group].isWhole == other.isWhole, states[group].values.count + other.values.count <= Self.mostExact, states[group].sketch == nil {
                states[group].values += other.values
                bytes += 8 * other.values.count
            } else if other.isWhole {
                for bits in other.values { add(whole: Int64(bitPattern: bits), to: group) }
            } else {
                for bits in other.values { add(Double(bitPattern: bits), to: group) }
            }
        }
    }

    func result(of group: Int, _ scratch: Scratch) -> Cell { quantile(0.5, of: group) }

    func isSketch(_ group: Int) -> Bool? { states[group].sketch != nil }

    func quantile(_ share: Double, of group: Int) -> Cell {
        if let sketch = states[group].sketch { return .double(sketch.value(at: Self.rank(share, of: sketch.total))) }
        let (values, isWhole) = (states[group].values, states[group].isWhole)
        guard !values.isEmpty else { return .absent }
        let rank = Int(Self.rank(share, of: UInt64(values.count)))
        let bits = Self.bits(values.map { Self.order($0, isWhole) }.select(rank), isWhole)
        return isWhole ? .int(Int64(bitPattern: bits)) : .double(Double(bitPattern: bits))
    }

    /// The rank, from 0. A product that is an integer up to the rounding of the share is treated as
    /// one.
    static func rank(_ share: Double, of count: UInt64) -> UInt64 {
        let place = share * Double(count - 1)
        let nearest = place.rounded()
        let whole = abs(place - nearest) <= 1e-9 * max(1, place) ? nearest : place.rounded(.down)
        return min(count - 1, UInt64(max(0, whole)))
    }

    /// The values of a group, sorted.
    private func sorted(_ group: Int) -> [UInt64] {
        let isWhole = states[group].isWhole
        var order = states[group].values.map { Self.order($0, isWhole) }
        order.sortByBits()
        return order.map { Self.bits($0, isWhole) }
    }

    /// Maps bit patterns to numbers with the order of the values: NaN last.
    private static func order(_ bits: UInt64, _ isWhole: Bool) -> UInt64 {
        isWhole ? bits ^ 1 << 63 : bits >> 63 == 1 ? ~bits : bits | 1 << 63
    }

    /// The bit pattern that ``order(_:_:)`` maps to this number.
    private static func bits(_ order: UInt64, _ isWhole: Bool) -> UInt64 {
        isWhole ? order ^ 1 << 63 : order >> 63 == 1 ? order & ~(1 << 63) : ~order
    }

    /// The kind (0: ints, 1: doubles, 2: a sketch), the count, and the sorted values.
    func write(_ group: Int, to writer: inout StateWriter) {
        if let sketch = states[group].sketch {
            writer.write(2)
            return sketch.write(to: &writer)
        }
        writer.write(states[group].isWhole ? 0 : 1)
        writer.write(states[group].values.count)
        for bits in sorted(group) { writer.write(bits) }
    }

    func read(_ group: Int, from reader: inout StateReader) throws(CheckpointError) {
        let kind = try reader.number()
        guard kind < 2 else {
            guard kind == 2 else { throw CheckpointError("invalid kind of quantile") }
            let sketch = try QuantileSketch(from: &reader)
            states[group] = State(isWhole: false, sketch: sketch)
            bytes += sketch.bytes
            return
        }
        let count = try reader.count()
        guard count <= Self.mostExact, count > 0 || kind == 0 else { throw CheckpointError("too many values") }
        states[group].isWhole = kind == 0
        bytes += 8 * count
        for _ in 0..<count {
            let bits = try reader.number()
            states[group].values.append(kind == 1 && Double(bitPattern: bits).isNaN ? Double.nan.bitPattern : bits)
        }
    }
}

/// The number of values in each of many bins (C. Masson, J. Rim, H. Lee, "DDSketch", VLDB 2019),
/// 128 of equal width for each power of two: the representative of a bin is within 0.4 % of all its
/// values.
///
/// The number of a bin consists of the upper bits of a double, so no logarithm is needed, and all
/// machines give the same result. Bins are never collapsed; merging sketches only adds integers.
final class QuantileSketch {
    /// The bins from `first` on.
    @exclusivity(unchecked) private var counts: [UInt64] = []
    @exclusivity(unchecked) private var first = 0
    @exclusivity(unchecked) private(set) var total: UInt64 = 0

    private static let dropped: UInt64 = 45
    private static let bins = -(1 << 18)..<(1 << 18)

    init() {}

    @inline(__always)
    func add(_ value: Double) {
        let magnitude = Int((value.magnitude.isNaN ? Double.nan : value.magnitude).bitPattern >> Self.dropped)
        add(1, at: value.sign == .minus && !value.isNaN ? ~magnitude : magnitude)
    }

    private func add(_ count: UInt64, at bin: Int) {
        if bin < first || bin >= first + counts.count { widen(to: bin) }
        counts[bin - first] &+= count
        total &+= count
    }

    private func widen(to bin: Int) {
        guard !counts.isEmpty else {
            first = bin
            counts = [0]
            return
        }
        if bin < first {
            counts.insert(contentsOf: repeatElement(0, count: first - bin), at: 0)
            first = bin
        } else {
            counts.append(contentsOf: repeatElement(0, count: bin - first - counts.count + 1))
        }
    }

    func add(_ other: QuantileSketch) {
        for (offset, count) in other.counts.enumerated() where count > 0 { add(count, at: other.first + offset) }
    }

    /// The representative of the value at a rank, from 0.
    func value(at rank: UInt64) -> Double {
        var before: UInt64 = 0
        for (offset, count) in counts.enumerated() {
            before &+= count
            if before > rank { return Self.value(of: first + offset) }
        }
        return .nan
    }

    /// The representative of a bin, with the same relative distance from its lowest and its highest
    /// value.
    private static func value(of bin: Int) -> Double {
        let magnitude = UInt64(bin < 0 ? ~bin : bin)
        let low = Double(bitPattern: magnitude << dropped)
        let high = Double(bitPattern: (magnitude + 1) << dropped)
        let value = !low.isFinite || low == 0 ? low : high.isFinite ? low + (high - low) * (low / (low + high)) : low
        return bin < 0 ? -value : value
    }

    var bytes: Int { 8 * counts.capacity }

    /// The number of nonempty bins, then for each the distance from the previous one and the count.
    func write(to writer: inout StateWriter) {
        writer.write(counts.count { $0 > 0 })
        var last = Self.bins.lowerBound
        for (offset, count) in counts.enumerated() where count > 0 {
            writer.write(first + offset - last)
            writer.write(count)
            last = first + offset
        }
    }

    init(from reader: inout StateReader) throws(CheckpointError) {
        var bin = Self.bins.lowerBound
        for index in 0..<(try reader.count()) {
            let distance = try reader.number()
            let count = try reader.number()
            guard distance < UInt64(Self.bins.count), Self.bins.contains(bin + Int(distance)), count > 0, count < 1 << 62,
                distance > 0 || index == 0
            else { throw CheckpointError("invalid bin") }
            bin += Int(distance)
            add(count, at: bin)
        }
        guard total > UInt64(QuantileStates.mostExact) else { throw CheckpointError("a sketch with too few values") }
    }
}
