import Testing

@testable import SluiceRecords

@Suite("Room for long records")
struct LongRecordsTests {
    private typealias Turns = LongRecords.Turns<String>

    @Test("the first input gets room though later ones took it all; these wait until it is given back")
    func order() {
        var turns = Turns(most: 20, room: 10)
        for input in [2, 3, 1, 0] { turns.ask(for: input, "\(input)") }
        #expect(turns.answer().waiters == ["0", "1"])
        turns.giveBack(1)
        #expect(turns.answer().waiters == ["2"])
        turns.ask(for: 1, "1 again")
        #expect(turns.answer().waiters == [])
        turns.giveBack(2)
        #expect(turns.answer().waiters == ["1 again"])
        turns.giveBack(1)
        #expect(turns.answer().waiters == ["3"])
        turns.giveBack(0)
        turns.ask(for: 3, "3 again")
        #expect(turns.answer().waiters == ["3 again"])
    }

    @Test("with room for one, the first input's record gets some, too, if a later one has it")
    func first() {
        var turns = Turns(most: 10, room: 10)
        turns.ask(for: 2, "2")
        turns.ask(for: 1, "1")
        #expect(turns.answer().waiters == ["1"])
        turns.giveBack(1)
        #expect(turns.answer().waiters == ["2"])
        turns.ask(for: 1, "1 again")
        #expect(turns.answer().waiters == [])
        turns.ask(for: 0, "0")
        #expect(turns.answer().waiters == ["0"])
    }

    @Test("a record waits for those before it, of its own input and of one that was read to its end")
    func before() {
        var turns = Turns(most: 0, room: 10)
        turns.ask(for: 1, "1")
        turns.ask(for: 0, "0")
        #expect(turns.answer().waiters == ["0"])
        turns.ask(for: 0, "0 again")
        #expect(turns.answer().waiters == [])
        turns.giveBack(0)
        #expect(turns.answer().waiters == ["0 again"])
        turns.end(0)
        #expect(turns.answer().waiters == [])
        turns.giveBack(0)
        #expect(turns.answer().waiters == ["1"])
    }

    @Test("inputs may end in any order")
    func ends() {
        var turns = Turns(most: 0, room: 10)
        turns.ask(for: 3, "3")
        for (input, isNext) in [(2, false), (0, false), (1, true)] {
            turns.end(input)
            #expect(turns.answer().waiters == (isNext ? ["3"] : []))
        }
    }

    @Test("after a stop nobody waits, and nobody gets room")
    func stop() {
        var turns = Turns(most: 10, room: 10)
        turns.ask(for: 1, "1")
        #expect(turns.answer() == (["1"], true))
        turns.ask(for: 2, "2")
        turns.stop()
        #expect(turns.answer() == (["2"], false))
        turns.ask(for: 0, "0")
        #expect(turns.answer() == (["0"], false))
    }

    @Test("readers wait until it is their turn, or until they are cancelled", .timeLimit(Patience.minutes(20)))
    func readers() async {
        let records = LongRecords(most: 0, room: 10)
        var first: LongRecords.Reading? = LongRecords.Reading(0, of: records)
        let second = LongRecords.Reading(1, of: records)
        var room = await first?.room()
        #expect(room != nil)
        async let waiting = second.room()
        (first, room) = (nil, nil)
        let other = await waiting
        #expect(other != nil)
        let third = LongRecords.Reading(2, of: records)
        let task = Task { await third.room() }
        task.cancel()
        #expect(await task.value == nil)
    }
}
