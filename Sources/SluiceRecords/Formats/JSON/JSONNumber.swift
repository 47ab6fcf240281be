import CBytes
import SluiceCEL

/// Converts the numbers of JSON and log lines to cells.
enum JSONNumber {
    /// The value of eight decimal digits at once (after D. Lemire, "Number parsing at a gigabyte
    /// per second", 2021).
    @inline(__always)
    private static func value(ofEight word: UInt64) -> UInt64 {
        var digits = word
        digits = digits &* 10 &+ (digits >> 8)
        let low = (digits & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = ((digits >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return (low &+ high) >> 32
    }

    /// The value of 1 to 8 digits.
    @inline(__always)
    private static func short(_ start: JSONScan.Place, _ count: Int) -> UInt64 {
        let word = UInt64(littleEndian: cbytes_load64(start)) &- 0x3030_3030_3030_3030
        return value(ofEight: word &<< UInt64(64 - 8 * count))
    }

    /// The value of at most 19 digits, which cannot overflow.
    @inline(__always)
    static func integer(_ start: JSONScan.Place, _ count: Int) -> UInt64 {
        if count <= 8 { return count == 0 ? 0 : short(start, count) }
        return longInteger(start, count)
    }

    private static func longInteger(_ start: JSONScan.Place, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        var place = start
        var left = count
        while left >= 8 {
            value = value &* 100_000_000 &+ short(place, 8)
            place += 8
            left -= 8
        }
        for _ in 0..<left {
            value = value &* 10 &+ UInt64(place.pointee &- UInt8(ascii: "0"))
            place += 1
        }
        return value
    }

    /// An integer becomes an `int`, a `uint` if only that can hold it, else (and if it is `-0`) a
    /// `decimal`; any other number becomes a `double`, or a `decimal` if it is too large.
    @inline(__always)
    static func cell(_ number: NumberText) -> Cell {
        if number.isInteger, number.end - number.digits <= 18 {
            let magnitude = Int64(bitPattern: integer(number.digits, number.end - number.digits))
            guard number.isNegative else { return .int(magnitude) }
            return magnitude == 0 ? decimal(number) : .int(0 &- magnitude)
        }
        return number.isInteger ? largeInteger(number) : fraction(number)
    }

    @inline(never)
    private static func largeInteger(_ number: NumberText) -> Cell {
        var magnitude: UInt64 = 0
        for digit in number.digits..<number.end {
            let (tenfold, over) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, more) = tenfold.addingReportingOverflow(UInt64(digit.pointee &- UInt8(ascii: "0")))
            guard !over, !more else { return decimal(number) }
            magnitude = sum
        }
        if number.isNegative {
            guard magnitude <= 1 << 63 else { return decimal(number) }
            return magnitude == 0 ? decimal(number) : .int(Int64(truncatingIfNeeded: 0 &- magnitude))
        }
        return magnitude <= UInt64(Int64.max) ? .int(Int64(magnitude)) : .uint(magnitude)
    }

    @inline(__always)
    private static func start(_ number: NumberText) -> JSONScan.Place { number.isNegative ? number.digits - 1 : number.digits }

    private static func decimal(_ number: NumberText) -> Cell {
        .text(.decimal, start(number), count: number.end - start(number))
    }

    /// Exact if both the digits and the power of ten are exact doubles (W. Clinger, 1990): at most
    /// 15 digits, 8 of them after the point.
    @inline(__always)
    private static func fraction(_ number: NumberText) -> Cell {
        let before = number.point - number.digits
        let decimals = number.fractionEnd - number.point - 1
        if number.fractionEnd == number.end, before + decimals <= 15, decimals <= 8 {
            let mantissa = integer(number.digits, before) &* integerPowers[decimals] &+ short(number.point + 1, decimals)
            let value = Double(mantissa) / powers[decimals]
            return .double(number.isNegative ? -value : value)
        }
        return longFraction(number)
    }

    /// For up to 19 digits, if both the digits as an integer and the power of ten to divide by fit
    /// 64 bits. A 128-bit division yields a quotient with more bits than a double has, and the
    /// remainder tells on which side of it the number is.
    @inline(never)
    private static func longFraction(_ number: NumberText) -> Cell {
        let before = number.digits.pointee == UInt8(ascii: "0") ? 0 : number.point - number.digits
        let decimals = number.fractionEnd - number.point - 1
        guard number.fractionEnd == number.end, decimals <= 19, before + decimals <= 19 else { return anyFraction(number) }
        var scale: UInt64 = 1
        for _ in 0..<decimals { scale &*= 10 }
        let digits = integer(number.digits, before) &* scale &+ integer(number.point + 1, decimals)
        guard digits > 0 else { return .double(number.isNegative ? -0.0 : 0) }

        let dividend = digits << UInt64(digits.leadingZeroBitCount)
        let divisor = scale << UInt64(scale.leadingZeroBitCount)
        let (quotient, remainder) = divisor.dividingFullWidth((dividend >> 1, dividend << 63))
        let exponent = scale.leadingZeroBitCount - digits.leadingZeroBitCount - 63
        let value = Double(sign: .plus, exponent: exponent, significand: Double(quotient | (remainder == 0 ? 0 : 1)))
        return .double(number.isNegative ? -value : value)
    }

    private static func anyFraction(_ number: NumberText) -> Cell {
        let text = UnsafeBufferPointer(start: start(number), count: number.end - start(number))
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return decimal(number) }
        return .double(value)
    }

    private static let integerPowers: InlineArray<9, UInt64> = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
    ]
    private static let powers: InlineArray<9, Double> = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]
}
