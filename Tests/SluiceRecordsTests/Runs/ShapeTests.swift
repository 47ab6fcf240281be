import Testing

@testable import SluiceRecords

@Suite struct ShapeTests {
    /// JSON records; the plan has columns for `a` (0), `b` (1) and `c` (2).
    private var json: Shape { Shape(json: [("a", 0), ("b", 1), ("c", 2)]) }
    private var known: Shape { Shape(fields: [("ip", 0), ("status", 1), ("bytes", Shape.undecoded)]) }

    @Test func `a record that no stage changed is written as its original bytes`() {
        #expect(json.isUntouched)
        #expect(known.isUntouched)
    }

    @Test func `a set field replaces the member of that name in its place`() {
        var shape = json
        shape.set("a", column: 7)
        #expect(shape.column(of: "a") == 7)
        #expect(shape.members == [.init(column: 0, name: "a", fate: .replace(key: "a", column: 7))])
        #expect(!shape.isUntouched)
    }

    @Test func `setting a field twice keeps the last`() {
        var shape = json
        shape.set("a", column: 7)
        shape.set("a", column: 8)
        #expect(shape.members == [.init(column: 0, name: "a", fate: .replace(key: "a", column: 8))])
        #expect(shape.written.isEmpty)
    }

    @Test func `a removed field that is set again comes last`() {
        var shape = json
        shape.remove("a")
        #expect(shape.column(of: "a") == nil)
        shape.set("a", column: 7)
        #expect(shape.members == [.init(column: 0, name: "a", fate: .cut)])
        #expect(shape.written == [.init(key: "a", column: 7)])
    }

    @Test func `a renamed member keeps its place`() throws {
        var shape = Shape(json: [("a", 0)])
        let merge = shape.rename("a", to: "z", merged: 9)
        #expect(merge == nil)
        #expect(shape.column(of: "a") == nil)
        #expect(shape.column(of: "z") == 0)
        #expect(shape.members == [.init(column: 0, name: "a", fate: .rename(to: "z"))])
    }

    @Test func `if both names may exist, the old one wins in the rows that have it`() throws {
        var shape = json
        let merge = shape.rename("a", to: "b", merged: 9)
        #expect(try #require(merge) == (0, 1))
        #expect(shape.column(of: "b") == 9)
        #expect(
            shape.members == [
                .init(column: 1, name: "b", fate: .yield(to: 0)), .init(column: 0, name: "a", fate: .rename(to: "b")),
            ])
    }

    @Test func `renaming to its own name does nothing`() {
        var shape = json
        let merge = shape.rename("a", to: "a", merged: 9)
        #expect(merge == nil)
        #expect(shape.isUntouched)
    }

    @Test func `select keeps the named members and nothing else`() {
        var shape = json
        shape.set("c", column: 5)
        shape.select(["a", "c"])
        #expect(!shape.passesRest)
        #expect(shape.column(of: "a") == 0)
        #expect(shape.column(of: "b") == nil)
        #expect(shape.column(of: "c") == 5)
        #expect(
            shape.members == [
                .init(column: 2, name: "c", fate: .replace(key: "c", column: 5)), .init(column: 0, name: "a", fate: .keep),
            ])
    }

    @Test func `fields that select left out do not come back`() {
        var shape = json
        shape.select(["a"])
        shape.select(["a", "b"])
        #expect(shape.column(of: "b") == nil)
        #expect(shape.members == [.init(column: 0, name: "a", fate: .keep)])
    }

    @Test func `known fields keep their order through set, rename and remove`() {
        var shape = known
        shape.set("status", column: 4)
        shape.set("extra", column: 5)
        let merge = shape.rename("ip", to: "client", merged: 9)
        #expect(merge == nil)
        shape.remove("bytes")
        #expect(
            shape.written == [
                .init(key: "client", column: 0), .init(key: "status", column: 4), .init(key: "extra", column: 5),
            ])
    }

    @Test func `a set field can be removed without a trace`() {
        var shape = known
        shape.set("extra", column: 5)
        shape.remove("extra")
        #expect(shape.written == known.written)
        #expect(shape.column(of: "extra") == nil)
    }
}
