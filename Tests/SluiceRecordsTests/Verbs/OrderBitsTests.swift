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
