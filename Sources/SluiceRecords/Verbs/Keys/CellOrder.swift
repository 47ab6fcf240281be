import SluiceCEL

/// A total order of values: numbers by value (NaN last), then text by its bytes, then times, then
/// everything else; absent values come last.
///
/// Integers and doubles are compared exactly. Lists, maps and the like are all equal here.
enum CellOrder {
    /// - Returns: negative if the left one comes first, positive if the right one does, 0 if equal.
    @inline(__always)
    static func compare(_ left: Cell, _ right: Cell) -> Int {
        if left.kind == .int, right.kind == .int { return compare(left.intValue, right.intValue) }
        return compareAny(left, right)
    }

    private static func compareAny(_ left: Cell, _ right: Cell) -> Int {
        let (leftRank, rightRank) = (rank(left.kind), rank(right.kind))
        guard leftRank == rightRank else { return compare(leftRank, rightRank) }
        switch left.kind {
        case .int, .uint, .double, .decimal: return compareNumbers(left, right)
        case .string, .bytes: return compareText(left.textBytes, right.textBytes)
        case .timestamp, .duration:
            let seconds = compare(left.intValue, right.intValue)
            return seconds != 0 ? seconds : compare(Int32(bitPattern: left.count), Int32(bitPattern: right.count))
        case .bool: return compare(left.payload, right.payload)
        case .absent, .null, .json, .boxed, .error: return 0
        }
    }

    static func rank(_ kind: Cell.Kind) -> Int {
        switch kind {
        case .int, .uint, .double, .decimal: 0
        case .string: 1
        case .timestamp: 2
        case .duration: 3
        case .null: 4
        case .bool: 5
        case .bytes: 6
        case .json, .boxed, .error: 7
        case .absent: 8
        }
    }

    @inline(__always)
    private static func compare<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
        left < right ? -1 : left == right ? 0 : 1
    }

    private static func compareText(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
        for index in 0..<min(left.count, right.count) where left[index] != right[index] { return left[index] < right[index] ? -1 : 1 }
        return compare(left.count, right.count)
    }

    private static func compareNumbers(_ left: Cell, _ right: Cell) -> Int {
        switch (whole(left), whole(right)) {
        case (let left?, let right?): compare(left, right)
        case (let whole?, nil): -compare(double(right), to: whole)
        case (nil, let whole?): compare(double(left), to: whole)
        case (nil, nil): compareDoubles(double(left), double(right))
        }
    }

    private static func whole(_ cell: Cell) -> Int128? {
        switch cell.kind {
        case .int: Int128(cell.intValue)
        case .uint: Int128(cell.payload)
        default: nil
        }
    }

    /// The value of a number that is not an integer. A decimal is converted to the nearest double,
    /// as in expressions.
    static func double(_ cell: Cell) -> Double {
        cell.kind == .double ? cell.doubleValue : Double(String(decoding: cell.textBytes, as: UTF8.self)) ?? .nan
    }

    private static func compare(_ double: Double, to whole: Int128) -> Int {
        guard !double.isNaN, double < 0x1p65 else { return 1 }
        guard double > -0x1p65 else { return -1 }
        let down = double.rounded(.down)
        let order = compare(Int128(down), whole)
        return order == 0 && double > down ? 1 : order
    }

    private static func compareDoubles(_ left: Double, _ right: Double) -> Int {
        if left.isNaN || right.isNaN { return compare(left.isNaN ? 1 : 0, right.isNaN ? 1 : 0) }
        return compare(left, right)
    }
}
