import Testing

@testable import SluiceRecords

@Suite("Elements that are ordered by their bits")
struct OrderedByBitsTests {
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
