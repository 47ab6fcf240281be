import Testing

@testable import SluiceRecords

@Suite("The bits in which keys differ")
struct OrderBitsTests {
    /// The numbers of the keys.
    private func numbers(_ keys: [[UInt8]]) -> [UInt64] {
        let buffer = ByteBuffer(capacity: keys.reduce(0) { $0 + $1.count })
        var starts: [Int] = []
        for key in keys {
            starts.append(buffer.count)
            key.withUnsafeBufferPointer { buffer.append($0) }
        }
        return withExtendedLifetime(buffer) {
            let placed = zip(starts, keys).map { UnsafeBufferPointer(start: UnsafePointer(buffer.start + $0), count: $1.count) }
            var bits = OrderBits(of: placed[0])
            for key in placed { bits.add(key) }
            let places = bits.places
            return placed.map { OrderBits.number(of: $0, places) }
        }
    }

    @Test("have the order of the keys", arguments: 1...40 as ClosedRange<UInt64>)
    func order(seed: UInt64) {
        var random = Seeded(seed)
        let start = (0..<Int.random(in: 0...70, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        let (values, most) = (UInt8.random(in: 1...255, using: &random), Int.random(in: 0...20, using: &random))
        let keys = (0..<60).map { _ in
            start + (0..<(seed % 2 == 0 ? most : Int.random(in: 0...most, using: &random))).map { _ in UInt8.random(in: 0...values, using: &random) }
        }
        let numbers = numbers(keys)
        for (left, first) in zip(keys, numbers) {
            for (right, second) in zip(keys, numbers) where first < second { #expect(left.lexicographicallyPrecedes(right)) }
        }
        #expect(Set(zip(keys, numbers).filter { $0.0 == keys[0] }.map(\.1)).count == 1)
    }

    @Test("tell times apart to the millisecond")
    func times() {
        var random = Seeded(5)
        let digits: (Int, Int) -> String = { number, count in
            let text = String(number)
            return String(repeating: "0", count: count - text.count) + text
        }
        let texts = Set(
            (0..<2000).map { _ in
                let time = (0..<4).map { _ in Int(random.next() % 1000) }
                return "2026-03-\(digits(time[0] % 28 + 1, 2))T\(digits(time[1] % 24, 2)):\(digits(time[2] % 60, 2)):07.\(digits(time[3], 3))Z"
            })
        let keys = texts.sorted().map { Array($0.utf8) }
        let numbers = numbers(keys)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy(<))
    }
}

@Suite("Elements that are ordered by their bits")
struct ByBitsTests {
    private struct Placed: OrderedByBits, Equatable {
        let bits: UInt64
        let place: Int
    }

    /// Numbers that differ in few or many bits, high or low ones, and repeat or not.
    private static func numbers(_ count: Int, _ random: inout Seeded) -> [UInt64] {
        let (kept, shift, same) = (random.next() & random.next(), random.next() % 64, random.next())
        return (0..<count).map { _ in random.next() & kept >> shift | same & ~kept }
    }

    @Test("are sorted, those with the same bits as they were", arguments: [0, 1, 2, 255, 256, 257, 5000])
    func sorted(count: Int) {
        var random = Seeded(UInt64(count))
        for _ in 0..<20 {
            let elements = Self.numbers(count, &random).enumerated().map { Placed(bits: $1, place: $0) }
            var sorted = elements
            sorted.sortByBits()
            #expect(sorted == elements.sorted { ($0.bits, $0.place) < ($1.bits, $1.place) })
        }
    }

    @Test("are found by their rank", arguments: [1, 2, 64, 65, 1000, 5000])
    func selected(count: Int) {
        var random = Seeded(UInt64(count))
        for turn in 0..<20 {
            var numbers = turn == 0 ? Array(repeating: 7, count: count) : Self.numbers(count, &random)
            // All that there are, and one far from the others.
            if turn == 1 { numbers = (0..<count).map { UInt64($0) &* (.max / UInt64(count)) } + [.max] }
            if turn == 2 { numbers = (0..<count).map { UInt64($0) } + [.max] }
            let (plain, reversed) = (numbers.sorted(), numbers.sorted(by: >))
            for rank in [0, count / 3, count / 2, count * 99 / 100, count - 1] {
                #expect(numbers.select(rank) == plain[rank])
                #expect(~numbers.map { ~$0 }.select(rank) == reversed[rank])
            }
        }
    }
}
