import Testing

@testable import SluiceRecords

@Suite("Exact sums of doubles")
struct ExactSumsTests {
    /// The result of Python's `math.fsum`, which rounds once.
    struct Vector: Sendable {
        var seed: UInt64
        var kind: Int
        var count: Int
        var sum: UInt64

        var values: [Double] {
            var random = Seeded(seed)
            var values: [Double] = []
            for index in 0..<count {
                let bits = random.next()
                let exponent: UInt64
                switch kind {
                case 0: exponent = random.next() % 2000
                case 1: exponent = 1023 - 8 + random.next() % 16
                case 2: exponent = random.next() % 3
                default: exponent = 900 + random.next() % 300
                }
                let value = Double(bitPattern: bits & 1 << 63 | exponent << 52 | bits & (1 << 52 - 1))
                values.append(value)
                if kind == 3, index % 2 == 0 { values.append(-value) }
            }
            return values
        }
    }

    static let vectors = [
        Vector(seed: 1, kind: 0, count: 1, sum: 0xA07A2DEC89025CC1),
        Vector(seed: 2, kind: 0, count: 2, sum: 0xCD4BBCBFDD7E532F),
        Vector(seed: 3, kind: 0, count: 3, sum: 0xE6FBE8A6D050DD01),
        Vector(seed: 4, kind: 0, count: 10, sum: 0xE2EF19FDA2838345),
        Vector(seed: 5, kind: 0, count: 100, sum: 0xFB01AD0BF1C0F6B9),
        Vector(seed: 6, kind: 0, count: 5000, sum: 0xFD08253B5F6CC192),
        Vector(seed: 11, kind: 1, count: 1, sum: 0x3F85647D2380309D),
        Vector(seed: 12, kind: 1, count: 2, sum: 0x3FFFB2B0120FA65A),
        Vector(seed: 13, kind: 1, count: 3, sum: 0xBFC3E250668CD193),
        Vector(seed: 14, kind: 1, count: 10, sum: 0x4043A563E0E6CEA4),
        Vector(seed: 15, kind: 1, count: 100, sum: 0x4074DEA6474DA743),
        Vector(seed: 16, kind: 1, count: 5000, sum: 0x409A426F66B2568B),
        Vector(seed: 21, kind: 2, count: 1, sum: 0x2A0A95B7E825C7),
        Vector(seed: 22, kind: 2, count: 2, sum: 0x21C4A0029F212E),
        Vector(seed: 23, kind: 2, count: 3, sum: 0x802F4CDC87805CCC),
        Vector(seed: 24, kind: 2, count: 10, sum: 0x803A7BCE3EA50C28),
        Vector(seed: 25, kind: 2, count: 100, sum: 0x4225F6F9A50FB0),
        Vector(seed: 26, kind: 2, count: 5000, sum: 0x57FE0943D0EB63),
        Vector(seed: 31, kind: 3, count: 1, sum: 0x0),
        Vector(seed: 32, kind: 3, count: 2, sum: 0x3CF2F039BCD2F4D9),
        Vector(seed: 33, kind: 3, count: 3, sum: 0x41740E1AB04E72E1),
        Vector(seed: 34, kind: 3, count: 10, sum: 0xC5CE1746C250926D),
        Vector(seed: 35, kind: 3, count: 100, sum: 0x4A92220DC8AC364E),
        Vector(seed: 36, kind: 3, count: 5000, sum: 0xCB1079999CBB3039),
    ]

    private func rounded(_ sums: ExactSums, _ sum: Int) -> UInt64 { sums.digits(of: sum).rounded.bitPattern }

    @Test("are rounded once, in any order and grouping", arguments: vectors)
    func vector(vector: Vector) {
        var random = Seeded(vector.seed)
        for _ in 0..<4 {
            let values = vector.values.shuffled(using: &random)
            let sums = ExactSums()
            let parts = (0..<5).map { _ in sums.make() }
            for value in values { sums.add(value, to: parts[Int(random.next() % 5)]) }
            let others = ExactSums()
            let whole = others.make()
            for part in parts.shuffled(using: &random) { others.add(part, of: sums, to: whole) }
            #expect(rounded(others, whole) == vector.sum)
            let again = sums.make()
            sums.add(others.digits(of: whole), to: again)
            #expect(sums.digits(of: again) == others.digits(of: whole))
        }
    }

    @Test("of no values and of values that cancel are zero")
    func zero() {
        let sums = ExactSums()
        let sum = sums.make()
        #expect(rounded(sums, sum) == 0)
        for value in [1e308, 0x1.23p-1060, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude] {
            sums.add(value, to: sum)
            sums.add(-value, to: sum)
        }
        #expect(sums.digits(of: sum) == ExactSums.Digits())
        #expect(rounded(sums, sum) == 0)
    }

    @Test("ties round to even, and values beyond the range of doubles are infinite")
    func rounding() {
        func sum(_ values: [Double]) -> Double {
            let sums = ExactSums()
            let sum = sums.make()
            for value in values { sums.add(value, to: sum) }
            return sums.digits(of: sum).rounded
        }
        #expect(sum([1, 0x1p-53]) == 1)
        #expect(sum([1, 0x1p-53, 0x1p-1074]) == 1 + 0x1p-52)
        #expect(sum([1 + 0x1p-52, 0x1p-53]) == 1 + 0x1p-51)
        #expect(sum([-1, -0x1p-53, -0x1p-1074]) == -1 - 0x1p-52)
        let most = Double.greatestFiniteMagnitude
        #expect(sum([most, 0x1p969]) == most)
        #expect(sum([most, 0x1p970]) == .infinity)
        #expect(sum([-most, -most]) == -.infinity)
        #expect(sum([most, most, -most, -1]) == most)
        #expect(sum(Array(repeating: most, count: 5000) + Array(repeating: -most, count: 4999)) == most)
    }

    @Test("accept 128-bit integers")
    func wholes() {
        for (whole, double) in [
            (Int128.max, 0x1p127), (.min, -0x1p127), (1 << 64 + 1, 0x1p64), (-7, -7), (Int128(Int64.min), -0x1p63), (Int128(Int64.max), 0x1p63),
        ] as [(Int128, Double)] {
            let sums = ExactSums()
            let sum = sums.make()
            sums.add(whole, to: sum)
            #expect(sums.digits(of: sum).rounded == double)
            #expect(sums.digits(of: sum).whole == Int64(exactly: whole))
            sums.add(0 &- whole, to: sum)
            if whole != .min { #expect(sums.digits(of: sum) == ExactSums.Digits()) }
        }
    }
}
