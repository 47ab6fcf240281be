import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("Aggregates")
struct AggregateTests {
    /// Distributes the values over several states at random and merges the states in random order.
    private func gathered<States: AggregateStates, Element>(
        _ values: [Element], parts: Int, seed: UInt64, make: () -> States, add: (Element, States) -> Void
    ) -> States {
        var random = Seeded(seed)
        let states = (0..<parts).map { _ in make() }
        for part in states { part.grow(to: 1) }
        for value in values { add(value, states[Int(random.next() % UInt64(parts))]) }
        let merged = make()
        merged.grow(to: 1)
        for part in states.shuffled(using: &random) { merged.merge(part, into: [0]) }
        return merged
    }

    private func bytes(_ states: some AggregateStates) -> [UInt8] {
        var writer = StateWriter()
        states.write(0, to: &writer)
        return writer.bytes
    }

    @Test("quantiles are exact up to 65,536 values, then within 0.5 %, whatever the batches", arguments: [1, 2, 1000, 65_536, 65_537, 150_000])
    func quantiles(count: Int) throws {
        var random = Seeded(UInt64(count))
        let values = (0..<count).map { _ in
            Double(bitPattern: random.next() & 1 << 63 | (1023 - 20 + random.next() % 40) << 52 | random.next() & (1 << 52 - 1))
        }
        let whole = gathered(values, parts: 1, seed: 1, make: QuantileStates.init) { $1.add($0, to: 0) }
        let cut = gathered(values, parts: 5, seed: 2, make: QuantileStates.init) { $1.add($0, to: 0) }
        #expect(bytes(whole) == bytes(cut))
        #expect(whole.isSketch(0) == (count > 65_536))
        let sorted = values.sorted()
        for share in [0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 1] {
            let expected = sorted[Int((share * Double(count - 1)).rounded(.down))]
            let found = cut.quantile(share, of: 0).doubleValue
            if count > 65_536 {
                #expect(abs(found - expected) <= 0.005 * abs(expected))
            } else {
                #expect(found == expected)
            }
        }
        var reader = StateReader(bytes(whole))
        let read = QuantileStates()
        read.grow(to: 1)
        try read.read(0, from: &reader)
        #expect(reader.isAtEnd && bytes(read) == bytes(whole))
    }

    @Test("quantiles of ints are ints, and of both kinds doubles; NaN comes last")
    func quantileKinds() {
        let states = QuantileStates()
        states.grow(to: 3)
        for value in [9_007_199_254_740_993, -5, 7] as [Int64] { states.add(whole: value, to: 0) }
        #expect(states.quantile(1, of: 0).kind == .int && states.quantile(1, of: 0).intValue == 9_007_199_254_740_993)
        states.add(0.5, to: 0)
        #expect(states.quantile(0, of: 0).kind == .double && states.quantile(0, of: 0).doubleValue == -5)
        for value in [.nan, -.infinity, 3, .infinity, -0.0] as [Double] { states.add(value, to: 1) }
        #expect([0, 0.25, 0.5, 0.75].map { states.quantile($0, of: 1).doubleValue } == [-.infinity, 0, 3, .infinity])
        #expect(states.quantile(1, of: 1).doubleValue.isNaN)
        #expect(states.quantile(0.5, of: 2).kind == .absent)
    }

    @Test("quantiles of ints, and of ints and doubles, are the same whatever the batches", arguments: [2, 65_536, 65_537], [0, 1, 2])
    func quantileMerges(count: Int, doubles: Int) throws {
        var random = Seeded(UInt64(count))
        let numbers = (0..<count).map { _ in Int64(truncatingIfNeeded: random.next() >> 40) - 1 << 22 }
        func add(_ index: Int, _ states: QuantileStates) {
            let isDouble = doubles == 2 ? index % 2 == 0 : doubles == 1 ? index == 1 : false
            if isDouble { states.add(Double(numbers[index]), to: 0) } else { states.add(whole: numbers[index], to: 0) }
        }
        let whole = gathered(Array(numbers.indices), parts: 1, seed: 1, make: QuantileStates.init, add: add)
        for seed in 2..<5 as Range<UInt64> {
            let cut = gathered(Array(numbers.indices), parts: 5, seed: seed, make: QuantileStates.init, add: add)
            #expect(bytes(whole) == bytes(cut))
            #expect(cut.bytes > (count > 65_536 ? 1024 : 8 * count))
            guard count <= 65_536 else { continue }
            let expected = numbers.sorted()[count / 2 - 1 + count % 2]
            let found = cut.quantile(0.5, of: 0)
            #expect(found.kind == (doubles > 0 ? .double : .int) && (doubles > 0 ? found.doubleValue == Double(expected) : found.intValue == expected))
        }
    }

    @Test("zeros, infinities and NaN are found in a sketch, too")
    func sketchExtremes() {
        let states = QuantileStates()
        states.grow(to: 1)
        for index in 0..<70_000 { states.add([-Double.infinity, -1e300, 0, 1e-300, .infinity, -.nan, 5][index % 7], to: 0) }
        let found = (0..<7).map { states.quantile((Double($0) + 0.5) / 7, of: 0).doubleValue }
        #expect(found[0] == -.infinity && found[2] == 0 && found[5] == .infinity && found[6].isNaN)
        #expect(abs(found[1] + 1e300) <= 5e297 && abs(found[3] - 1e-300) <= 5e-303 && abs(found[4] - 5) <= 0.025)
    }

    @Test("distinct values are counted exactly up to 65,536, then approximately, whatever the batches", arguments: [0, 1, 65_536, 65_537, 100_000, 300_000])
    func distinct(count: Int) throws {
        let hashes = (0..<count).flatMap { number -> [Hash128] in
            let text = ByteBuffer(capacity: 16)
            for shift in 0..<8 { text.append(UInt8(truncatingIfNeeded: number >> (8 * shift))) }
            let hash = SipHash.fixed.hash(text.start, 8)
            return number % 3 == 0 ? [hash, hash] : [hash]
        }
        let whole = gathered(hashes, parts: 1, seed: 3, make: DistinctStates.init) { $1.add($0, to: 0) }
        let cut = gathered(hashes, parts: 4, seed: 4, make: DistinctStates.init) { $1.add($0, to: 0) }
        #expect(bytes(whole) == bytes(cut))
        let found = Int(whole.result(of: 0, Scratch()).intValue)
        #expect(count > 65_536 ? abs(Double(found - count)) <= 0.0125 * Double(count) : found == count)
        #expect(whole.isSketch(0) == (count > 65_536))
        var reader = StateReader(bytes(whole))
        let read = DistinctStates()
        read.grow(to: 1)
        try read.read(0, from: &reader)
        #expect(reader.isAtEnd && bytes(read) == bytes(whole))
    }

    @Test("SipHash matches the reference vectors")
    func sipHash() {
        // The reference's 128-bit vectors for the key 00 01 … 0f and texts of 0, 1, 2, … bytes.
        let expected: [(high: UInt64, low: UInt64)] = [
            (0xE6A8_25BA_047F_81A3, 0x9302_55C7_1472_F66D), (0x44AF_996B_D8C1_87DA, 0x45FC_229B_1159_7634),
        ]
        let text = ByteBuffer(capacity: 16)
        for (count, expected) in expected.enumerated() {
            let hash = SipHash(key: 0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908).hash(text.start, count)
            #expect(hash.high == expected.high && hash.low == expected.low, "\(count)")
            text.append(UInt8(count))
        }
    }

    @Test("a mean is rounded once")
    func mean() {
        let sums = ExactSums()
        func mean(_ values: [Double], _ count: UInt64? = nil) -> Double {
            let sum = sums.make()
            for value in values { sums.add(value, to: sum) }
            return sums.digits(of: sum).mean(of: count ?? UInt64(values.count))
        }
        #expect(mean([1e308, 1e308]) == 1e308)
        #expect(mean([0.1, 0.1, 0.1]) == 0.1)
        #expect(mean([1, 2]) == 1.5)
        #expect(mean([-7], 3) == -7.0 / 3)
        // A tie at half a unit in the last place, and slightly more: 2^53 + 1, and 2^53 + 1 + 1/3.
        #expect(mean([0x1p53, 0x1p53 + 2]) == 0x1p53)
        #expect(mean([0x1p53 * 3, 3, 1], 3) == 0x1p53 + 2)
        var random = Seeded(8)
        for _ in 0..<2000 {
            let value = Double(Int64(bitPattern: random.next() >> (1 + random.next() % 40)))
            let count = random.next() % 1000 + 1
            if value.magnitude < 0x1p53 { #expect(mean([value], count) == value / Double(count)) }
        }
    }

    @Test("values have a total order")
    func order() {
        let scratch = Scratch()
        let cells: [Cell] = [
            .double(-.infinity), .int(.min), .int(-1), .double(-0.5), .int(0), .double(0.5), .int(9_007_199_254_740_992),
            .int(9_007_199_254_740_993), .uint(.max), .double(0x1p64), scratch.text(.decimal, copying: "1e30"), .double(.infinity), .double(.nan),
            scratch.text(copying: ""), scratch.text(copying: "a"), scratch.text(copying: "aa"), scratch.text(copying: "b"),
            .timestamp(seconds: -1, nanoseconds: 5), .timestamp(seconds: 0, nanoseconds: 0), .timestamp(seconds: 0, nanoseconds: 1),
            .duration(seconds: -1, nanoseconds: -5), .duration(seconds: 0, nanoseconds: 0), .null, .bool(false), .bool(true),
        ]
        for (left, first) in cells.enumerated() {
            for (right, second) in cells.enumerated() {
                #expect(CellOrder.compare(first, second).signum() == (left - right).signum(), "\(left) \(right)")
            }
        }
        #expect(CellOrder.compare(.int(2), .double(2)) == 0 && CellOrder.compare(.double(0x1p63), .uint(1 << 63)) == 0)
    }
}
