import SluiceCEL
import SluiceRecords
import Testing

@Suite("A record")
struct RecordTests {
    @Test func `has its fields in order, by name`() {
        var record: Record = Record(["a": 1, "b": "x", "a": 2])
        #expect(record.names == ["a", "b"])
        #expect(record["a"]?.int == 2)
        record["c"] = 2.5
        record["a"] = nil
        #expect(record.names == ["b", "c"])
        #expect(record["a"] == nil)
        record["a"] = .null
        #expect(record.names == ["b", "c", "a"])
        #expect(record["a"]?.isNull == true)
        #expect(record.source == nil)
        #expect(record.description == #"{b: "x", c: 2.5, a: null}"#)
    }

    @Test func `values return their contents, and nil for another type`() {
        #expect(Value.uint(7).int == 7)
        #expect(Value.double(7).int == 7)
        #expect(Value.double(7.5).int == nil)
        #expect(Value.uint(.max).int == nil)
        #expect(Value.int(7).double == 7)
        #expect(Value.string("7").int == nil)
        #expect(Value.string("7").string == "7")
        #expect(Value.bool(true).bool == true)
        #expect(Value.list([1, "a"]).list?.count == 2)
        #expect(Value.map(["a": 1]).map?["a"] == 1)
        #expect(Value.bytes([1]).bytes == [1])
        #expect(Value.timestamp(.epoch).timestamp == .epoch)
        #expect(Value.duration(.seconds(1)).duration == .seconds(1))
        #expect(Value.int(1).string == nil && Value.int(1).bool == nil && Value.int(1).list == nil && Value.int(1).map == nil)
        #expect((["a": [1, 2.5, true]] as Value) == .map(["a": .list([.int(1), .double(2.5), .bool(true)])]))
    }
}
