/// Sums of doubles without intermediate rounding: the result is the same to the bit in any order
/// and grouping.
///
/// Each sum is a fixed-point number with a bit for every power of two that a double can represent,
/// stored as 32-bit digits in 64-bit chunks whose upper halves collect carries, after R. M. Neal,
/// "Fast exact summation using small and large superaccumulators" (arXiv:1505.05571), section 2. In
/// contrast to the paper, a sum has only the chunks between its lowest and highest value: four of
/// them (32 bytes) if values are of similar magnitude, at most 69.
///
/// Unsafe memory lives here: the chunks of sum `i` are `chunks[start ..< start + count]` of its
/// window. Not for concurrent use.
final class ExactSums {
    /// The chunks of one sum.
    private struct Window {
        var start = 0
        /// The number of the first chunk. Its lowest bit stands for 2 to the power of 32 * first -
        /// 1074.
        var first: UInt8 = 0
        var count: UInt8 = 0
        /// The number of additions since carries were propagated; each adds less than 2^53 to a
        /// chunk.
        var pending: UInt16 = 0
    }

    /// Covers 2^-1074 to 2^1023, and 2^64 times that.
    private static let mostChunks = 69
    private static let mostPending: UInt16 = 1000

    @exclusivity(unchecked) private var windows: [Window] = []
    @exclusivity(unchecked) private var chunks = UnsafeMutablePointer<Int64>.allocate(capacity: 64)
    @exclusivity(unchecked) private var capacity = 64
    @exclusivity(unchecked) private var used = 0

    deinit {
        chunks.deallocate()
    }

    /// The memory in use, in bytes.
    var bytes: Int { 8 * (capacity + windows.capacity) }

    /// Creates a sum of zero and returns its index.
    func make() -> Int {
        windows.append(Window())
        return windows.count - 1
    }

    /// - Precondition: the value is finite.
    @inline(__always)
    func add(_ value: Double, to sum: Int) {
        let bits = value.bitPattern
        let exponent = Int(bits >> 52 & 0x7FF)
        let fraction = bits & 0xF_FFFF_FFFF_FFFF
        guard exponent | Int(truncatingIfNeeded: fraction) != 0 else { return }
        // Subnormal numbers have the exponent of the smallest normal ones, without the leading bit.
        let mantissa = exponent == 0 ? fraction : fraction | 1 << 52
        let place = max(exponent, 1) - 1
        let shift = UInt64(place & 31)
        let low = (mantissa &<< shift) & 0xFFFF_FFFF
        let high = mantissa &>> (32 - shift)
        add(low: Int64(low), high: Int64(high), isNegative: value.sign == .minus, at: place >> 5, to: sum)
    }

    /// Adds to two adjacent chunks.
    @inline(__always)
    private func add(low: Int64, high: Int64, isNegative: Bool, at chunk: Int, to sum: Int) {
        var window = windows[sum]
        if chunk < Int(window.first) || chunk + 2 > Int(window.first) + Int(window.count) || window.pending >= Self.mostPending {
            makeRoom(from: chunk, to: chunk + 1, in: sum)
            window = windows[sum]
        }
        let place = chunks + window.start + (chunk - Int(window.first))
        place[0] &+= isNegative ? -low : low
        place[1] &+= isNegative ? -high : high
        windows[sum].pending = window.pending + 1
    }

    @inline(never)
    private func makeRoom(from lowest: Int, to highest: Int, in sum: Int) {
        if windows[sum].pending >= Self.mostPending { carry(sum) }
        let window = windows[sum]
        guard window.count > 0 else { return widen(sum, from: max(0, lowest - 1), to: min(Self.mostChunks - 1, highest + 1)) }
        let last = Int(window.first) + Int(window.count) - 1
        if lowest < window.first || highest > last { widen(sum, from: min(lowest, Int(window.first)), to: max(highest, last)) }
    }

    /// Moves the sum to a wider window. The old one is not reused: a sum has only a few windows in
    /// its lifetime.
    private func widen(_ sum: Int, from first: Int, to last: Int) {
        let old = windows[sum]
        let count = last - first + 1
        if used + count > capacity { grow(count) }
        (chunks + used).initialize(repeating: 0, count: count)
        if old.count > 0 { (chunks + used + (Int(old.first) - first)).update(from: chunks + old.start, count: Int(old.count)) }
        windows[sum] = Window(start: used, first: UInt8(first), count: UInt8(count), pending: old.pending)
        used += count
    }

    private func grow(_ more: Int) {
        let larger = max(2 * capacity, used + more)
        let memory = UnsafeMutablePointer<Int64>.allocate(capacity: larger)
        memory.update(from: chunks, count: used)
        chunks.deallocate()
        chunks = memory
        capacity = larger
    }

    /// Propagates carries. Afterwards every chunk but the last is a digit, and the last has the
    /// sign.
    private func carry(_ sum: Int) {
        windows[sum].pending = 0
        while true {
            let window = windows[sum]
            guard window.count > 0 else { return }
            let last = chunks + window.start + (Int(window.count) - 1)
            var carried: Int64 = 0
            for chunk in chunks + window.start..<last {
                let value = chunk.pointee &+ carried
                chunk.pointee = value & 0xFFFF_FFFF
                carried = value >> 32
            }
            last.pointee &+= carried
            let end = Int(window.first) + Int(window.count)
            guard last.pointee != Int64(Int32(truncatingIfNeeded: last.pointee)), end < Self.mostChunks else { return }
            widen(sum, from: Int(window.first), to: end)
        }
    }
}

extension ExactSums {
    /// Adds a sum of this or another instance.
    func add(_ other: Int, of others: ExactSums, to sum: Int) {
        others.carry(other)
        let window = others.windows[other]
        for offset in 0..<Int(window.count) where (others.chunks + window.start)[offset] != 0 {
            let chunk = Int(window.first) + offset
            let value = (others.chunks + window.start)[offset]
            // The very last chunk has no neighbour after it.
            if chunk + 1 < Self.mostChunks {
                add(low: Int64(truncatingIfNeeded: value.magnitude), high: 0, isNegative: value < 0, at: chunk, to: sum)
            } else {
                add(low: 0, high: Int64(truncatingIfNeeded: value.magnitude), isNegative: value < 0, at: chunk - 1, to: sum)
            }
        }
    }

    func add(_ whole: Int128, to sum: Int) {
        var rest = whole.magnitude
        var scale = 1.0
        while rest > 0 {
            let digit = Double(UInt32(truncatingIfNeeded: rest)) * scale
            add(whole < 0 ? -digit : digit, to: sum)
            rest >>= 32
            scale *= 0x1p32
        }
    }

    /// A sum as sign and magnitude. Equal sums have equal digits.
    struct Digits: Equatable {
        var isNegative = false
        /// Digits in base 2^32, lowest first, without zeros at either end.
        var digits: [UInt32] = []
        /// The position of the lowest digit, whose unit is 2 to the power of 32 * first - 1074.
        var first = 0
    }

    func digits(of sum: Int) -> Digits {
        carry(sum)
        let window = windows[sum]
        let values = UnsafeBufferPointer(start: chunks + window.start, count: Int(window.count))
        var result = Digits(isNegative: values.last ?? 0 < 0, first: Int(window.first))
        var carried: Int64 = 0
        for value in values {
            let digit = (result.isNegative ? 0 &- value : value) &+ carried
            result.digits.append(UInt32(truncatingIfNeeded: digit))
            carried = digit >> 32
        }
        if carried > 0 { result.digits.append(UInt32(truncatingIfNeeded: carried)) }
        while result.digits.last == 0 { result.digits.removeLast() }
        let zeros = result.digits.prefix { $0 == 0 }.count
        result.digits.removeFirst(zeros)
        result.first = result.digits.isEmpty ? 0 : result.first + zeros
        return result
    }

    /// - Precondition: the digits are within the range of a sum.
    func add(_ digits: Digits, to sum: Int) {
        for (offset, digit) in digits.digits.enumerated() where digit > 0 {
            let chunk = digits.first + offset
            if chunk + 1 < Self.mostChunks {
                add(low: Int64(digit), high: 0, isNegative: digits.isNegative, at: chunk, to: sum)
            } else {
                add(low: 0, high: Int64(digit), isNegative: digits.isNegative, at: chunk - 1, to: sum)
            }
        }
    }
}

extension ExactSums.Digits {
    static let most = 69

    /// The nearest double, ties to even; infinite if it exceeds all doubles.
    var rounded: Double {
        guard let top = digits.last else { return 0 }
        let length = 32 * (first + digits.count) - top.leadingZeroBitCount
        let magnitude: Double
        if length <= 53 {
            magnitude = Double(bits(from: 0)) * Double.leastNonzeroMagnitude
        } else {
            let shift = length - 53
            var mantissa = bits(from: shift)
            let half = bits(from: shift - 1) & 1
            if half == 1, mantissa & 1 == 1 || hasBits(below: shift - 1) { mantissa += 1 }
            magnitude = Double(sign: .plus, exponent: shift - 1074, significand: Double(mantissa))
        }
        return isNegative ? -magnitude : magnitude
    }

    /// The sum divided by a positive number, rounded once. A sum so small that there are no digits
    /// below its own precision is rounded before the division as well.
    func mean(of count: UInt64) -> Double {
        guard first >= 4 else { return rounded / Double(count) }
        var quotient = Self(isNegative: isNegative, digits: Array(repeating: 0, count: 4) + digits, first: first - 4)
        var rest: UInt128 = 0
        for index in quotient.digits.indices.reversed() {
            rest = rest << 32 | UInt128(quotient.digits[index])
            quotient.digits[index] = UInt32(truncatingIfNeeded: rest / UInt128(count))
            rest %= UInt128(count)
        }
        // The remainder matters only if the digits are exactly halfway between two doubles.
        if rest > 0 { quotient.digits[0] |= 1 }
        while quotient.digits.last == 0 { quotient.digits.removeLast() }
        return quotient.rounded
    }

    /// The sum as an int; `nil` if it is not an integer of 64 bits.
    var whole: Int64? {
        guard let top = digits.last else { return 0 }
        let length = 32 * (first + digits.count) - top.leadingZeroBitCount
        guard length > Self.one, length <= Self.one + 64, !hasBits(below: Self.one) else { return nil }
        let magnitude = Int128(bits(from: Self.one))
        return Int64(exactly: isNegative ? -magnitude : magnitude)
    }

    /// The bit with the value 1.
    private static let one = 1074

    /// The 64 bits from this one on, at most up to the highest.
    private func bits(from place: Int) -> UInt64 {
        var result: UInt64 = 0
        for offset in 0..<3 {
            let digit = place / 32 + offset - first
            guard digits.indices.contains(digit) else { continue }
            let shift = 32 * offset - place % 32
            result |= shift < 0 ? UInt64(digits[digit]) >> UInt64(-shift) : shift < 64 ? UInt64(digits[digit]) << UInt64(shift) : 0
        }
        return result
    }

    private func hasBits(below place: Int) -> Bool {
        let whole = min(max(0, place / 32 - first), digits.count)
        if digits[..<whole].contains(where: { $0 != 0 }) { return true }
        let digit = place / 32 - first
        return digits.indices.contains(digit) && digits[digit] & (1 << UInt32(place % 32) - 1) != 0
    }
}
