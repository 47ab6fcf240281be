import Testing

@testable import SluiceRecords

@Suite("Room for long records", .timeLimit(.minutes(1)))
struct LongRecordsTests {
    @Test("the first input gets room whatever is taken; a later one once room was given back")
    func order() async {
        let records = LongRecords(most: 20, room: 10)
        let readings = (0..<4).map { LongRecords.Reading($0, of: records) }
        var rooms = [await readings[2].room(), await readings[3].room(), await readings[0].room()]
        let later = readings[1]
        async let waiting = later.room()
        // One would be that of the first input, which took more than there was.
        rooms.removeFirst(2)
        let room = await waiting
        #expect(room !== rooms[0] && readings.count == 4)
    }

    @Test("once the first input ends, the next one is the first")
    func next() async {
        let records = LongRecords(most: 0, room: 10)
        var first: LongRecords.Reading? = LongRecords.Reading(0, of: records)
        let second = LongRecords.Reading(1, of: records)
        let room = await first?.room()
        async let waiting = second.room()
        first = nil
        let other = await waiting
        #expect(room != nil && room !== other)
    }
}
