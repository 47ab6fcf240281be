import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("Spilled groups")
struct SummarySpillTests {
    private func verb(order: String) throws -> Summarize {
        let place = TextPlace(TextPosition(line: 1, column: 1))
        func entries(_ values: KeyValuePairs<String, String>) -> Argument {
            .entries(values.map { (Leaf($0.key), .leaf(Leaf($0.value))) }, place)
        }
        let arguments = [
            "by": entries(["k": "record.?k", "t": "n % 2 == 0 ? timestamp(n) : n"]),
            "values": entries([
                "count": "count()", "sum": "sum(n / 3.0)", "p90": "p90(n)", "kinds": "distinct(text)", "first": "first(n)", "last": "last(text)",
                "top": "top(text, 2)", "least": "min(text)",
            ]), "order": .leaf(Leaf(order)),
        ]
        var checking = Checking(label: "summarize")
        return try #require(Summarize(.keys(Arguments(arguments)), options: Arguments(), &checking))
    }

    /// Many groups whose records are far apart, with keys of every kind that are equal but written
    /// differently.
    private func lines(seed: UInt64) -> [String] {
        var random = Seeded(seed)
        let kinds = [#""k":"key""#, #""k":1"#, #""k":1.0"#, #""k":[1,{"a":2}]"#, #""k":[1.0,{"a":2}]"#, #""k":null"#, #""k":true"#, #""k":-0.5"#, #""z":0"#]
        return (0..<4000).map { _ in
            #"{"n":\#(random.next() % 700),\#(kinds[Int(random.next() % 9)]),"text":"some text \#(random.next() % 40)"}"#
        }
    }

    @Test("give the same results, in any order, with any number of workers", arguments: ["first", "key"])
    func results(order: String) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let inputs = try (0..<3).map { try folder.write((lines(seed: $0).joined(separator: "\n") + "\n").utf8, to: "\($0).jsonl") }
        var pipeline = folder.pipeline(inputs, [RecordStage(name: "groups", verb: try verb(order: order))])
        let whole = try await folder.run(pipeline, workers: 2)
        #expect(whole.report.error == nil && whole.report.records.written > 3000)
        pipeline.limits.memory = 64 << 10
        for workers in [1, 8] {
            let run = try await folder.run(pipeline, workers: workers)
            #expect(run.report.error == nil && run.report.balanced)
            #expect(run.outcome.out == whole.outcome.out)
            #expect(run.report.stages.map(\.values) == whole.report.stages.map(\.values))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state") == ["report.json"])
        }
    }

    private func frequencies(by: KeyValuePairs<String, String>, most: Int) throws -> Summarize {
        let place = TextPlace(TextPosition(line: 1, column: 1))
        func entries(_ values: KeyValuePairs<String, String>) -> Argument {
            .entries(values.map { (Leaf($0.key), .leaf(Leaf($0.value))) }, place)
        }
        let arguments = [
            "by": entries(by), "values": entries(["most": "top(text, \(most))", "few": "top(text, 2)", "numbers": "top(n, 2)", "count": "count()"]),
        ]
        var checking = Checking(label: "summarize")
        return try #require(Summarize(.keys(Arguments(arguments)), options: Arguments(), &checking))
    }

    /// With little memory, each part of the values is divided again.
    @Test(
        "of which one has more values than fit in memory",
        arguments: [[:], ["k": "n < 9990 ? 0 : n"]] as [KeyValuePairs<String, String>], [(700, 64 << 10), (2, 4 << 10)])
    func values(by: KeyValuePairs<String, String>, _ sizes: (most: Int, memory: Int)) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        var random = Seeded(7)
        let lines = (0..<20_000).map { _ in
            let text = random.next() % (random.next() % 2 == 0 ? 60 : 7000)
            return #"{"n":\#(random.next() % 10_000),"text":\#(text % 3 == 0 ? "\(text).0" : text % 3 == 1 ? "\(text)" : "\"\(text)\"")}"#
        }
        let input = try folder.write((lines.joined(separator: "\n") + "\n").utf8, to: "in.jsonl")
        var pipeline = folder.pipeline([input], [RecordStage(name: "groups", verb: try frequencies(by: by, most: sizes.most))])
        let whole = try await folder.run(pipeline, workers: 2)
        #expect(whole.report.error == nil && whole.outcome.out.contains("\"count\":"))
        pipeline.limits.memory = sizes.memory
        for workers in [1, 8] {
            let run = try await folder.run(pipeline, workers: workers)
            #expect(run.report.error == nil && run.report.balanced)
            #expect(run.outcome.out == whole.outcome.out)
        }
    }

    @Test("are part of the checkpoint")
    func checkpoint() throws {
        let rooms = [StageRoom(memory: 1 << 30, folder: NSTemporaryDirectory()), StageRoom(memory: 1000, folder: NSTemporaryDirectory())]
        var random = Seeded(2)
        let keys = (0..<500).map { _ in random.next() % 300 }
        let steps = try rooms.map { SummarizeStep(try verb(order: "first"), $0) }
        for step in steps {
            for (index, key) in keys.enumerated() {
                let state = step.take()
                let bytes = ByteBuffer(capacity: 64)
                for value in [Cell.int(Int64(key)), .int(Int64(key))] { _ = try GroupKey.append(value, to: bytes, Scratch()) }
                let hash = state.groups.hash(bytes.start, bytes.count)
                let nothing = UnsafeBufferPointer(start: UnsafePointer(bytes.start), count: 0)
                let group =
                    state.groups.find(bytes.start, bytes.count, hash: hash)
                    ?? state.groups.insert(bytes.filled, hash: hash, first: RecordPlace(input: 0, offset: UInt64(index), part: 0), written: nothing)
                for states in state.states { states.grow(to: state.groups.count) }
                try Self.add(Int64(index % 50), to: group, of: state, at: UInt64(index))
                try step.giveBack(state)
            }
        }
        let (whole, spilled) = try (steps[0].checkpoint(), steps[1].checkpoint())
        #expect(whole.files.isEmpty && spilled.files.count == 1)
        #expect(try Self.rows(of: steps[1]) == Self.rows(of: steps[0]))
        let twice = SummarizeStep(try verb(order: "first"), rooms[0])
        for _ in 0..<2 { try twice.merge(whole) }
        let expected = try Self.rows(of: twice)
        #expect(expected.count > 200)
        // Into an empty step, as after a kill; and into one with groups of its own, whose hashes
        // have another seed.
        for isUsed in [false, true] {
            for room in rooms {
                let other = SummarizeStep(try verb(order: "first"), room)
                if isUsed { try other.merge(whole) }
                try other.merge(spilled)
                if !isUsed { try other.merge(whole) }
                // As after a second kill: with what is in files of its own, and of the first.
                let third = SummarizeStep(try verb(order: "first"), room)
                try third.merge(try other.checkpoint())
                #expect(try Self.rows(of: third) == expected)
                #expect(try Self.rows(of: other) == expected)
            }
        }
    }

    /// Adds a value to a group, for an aggregate that keeps the values.
    private static func add(_ value: Int64, to group: Int, of state: SummaryState, at offset: UInt64) throws {
        let bytes = ByteBuffer(capacity: 64)
        _ = try GroupKey.append(.int(value), to: bytes, Scratch())
        var writer = StateWriter()
        writer.write(1)
        bytes.withFilled { writer.write($0) }
        writer.write(UInt64(1))
        RecordPlace(input: 0, offset: offset, part: 0).write(to: &writer)
        writer.write(UnsafeBufferPointer(start: UnsafePointer(bytes.start), count: 0))
        var reader = StateReader(writer.bytes)
        for states in state.states where states.values != nil { try states.read(group, from: &reader) }
    }

    /// The results of a step, as bytes.
    private static func rows(of step: SummarizeStep) throws -> [[UInt8]] {
        guard case .rows(let results) = try step.results(), let fields = step.fields else { return [] }
        let table = RowTable(columns: fields.count, hasSpans: false)
        table.prepare(rows: 64)
        let scratch = Scratch(reader: JSONReader())
        var rows: [[UInt8]] = []
        while case let count = try results.next(table, scratch), count > 0 {
            for row in 0..<count {
                let bytes = ByteBuffer(capacity: 256)
                for column in fields.indices { WrittenKey.append(table.row(row)[column], to: bytes, scratch) }
                rows.append(bytes.withFilled { Array($0) })
            }
        }
        return rows
    }
}
