import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("sort")
struct SortTests {
    private func verb(_ keys: [(String, isDescending: Bool)], limit: Int? = nil) throws -> Sort {
        let place = TextPlace(TextPosition(line: 1, column: 1))
        let by = keys.map { Argument.keys(Arguments([$0.isDescending ? "desc" : "asc": .leaf(Leaf($0.0))])) }
        var arguments = ["by": Argument.list(by, place)]
        if let limit { arguments["limit"] = .integer(limit, place) }
        var checking = Checking(label: "sort")
        return try #require(Sort(.keys(Arguments(arguments)), options: Arguments(), &checking))
    }

    /// Unsorted records, many with equal values of `k`.
    private func lines(_ count: Int, seed: UInt64) -> [String] {
        var random = Seeded(seed)
        return (0..<count).map { #"{"n":\#($0),"k":\#(Int(random.next() % 500) - 250),"t":"\#(random.next() % 100)","pad":"some text that takes room"}"# }
    }

    private func number(_ line: Substring, _ key: String) -> Int {
        Int(line.split(separator: "\"\(key)\":")[1].prefix { $0 == "-" || $0.isNumber }) ?? 0
    }

    @Test("gives the same bytes with any number of workers, in memory and from files", arguments: [512 << 20, 2 << 20, 256 << 10])
    func spills(memory: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let all = (0..<3).map { lines(6000, seed: $0) }
        let inputs = try all.enumerated().map { try folder.write(($1.joined(separator: "\n") + "\n").utf8, to: "\($0).jsonl") }
        var pipeline = folder.pipeline(inputs, [RecordStage(name: "order", verb: try verb([("k", false), ("t", true)]))])
        pipeline.limits.memory = memory
        let expected = all.flatMap { $0 }.map { Substring($0) }.enumerated().sorted { left, right in
            let text = { (line: Substring) in String(line.split(separator: "\"t\":\"")[1].prefix { $0.isNumber }) }
            let (first, second) = (number(left.element, "k"), number(right.element, "k"))
            if first != second { return first < second }
            let (one, other) = (text(left.element), text(right.element))
            return one != other ? one > other : left.offset < right.offset
        }.map(\.element)
        for workers in [1, 8] {
            let run = try await folder.run(pipeline, workers: workers)
            #expect(run.report.balanced && run.report.error == nil)
            #expect(run.outcome.out.split(separator: "\n") == expected)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state") == ["report.json"])
        }
    }

    @Test("with a limit returns the first of all", arguments: [1, 10, 5000, 100_000])
    func limit(count: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let all = lines(12_000, seed: 7)
        let input = try folder.write((all.joined(separator: "\n") + "\n").utf8, to: "a.jsonl")
        let whole = try await folder.run(folder.pipeline([input], [RecordStage(name: "order", verb: try verb([("k", true)]))]), workers: 2)
        for memory in [512 << 20, 256 << 10] {
            var pipeline = folder.pipeline([input], [RecordStage(name: "order", verb: try verb([("k", true)], limit: count))])
            pipeline.limits.memory = memory
            let first = try await folder.run(pipeline, workers: 3)
            #expect(first.outcome.out.split(separator: "\n") == Array(whole.outcome.out.split(separator: "\n").prefix(count)))
            #expect(first.report.balanced && first.report.records.absorbed == 12_000)
        }
    }

    @Test("a merge of any number of sequences is in order, with equal keys in the order of the sequences", arguments: 0..<10)
    func merge(of count: Int) throws {
        var random = Seeded(UInt64(count))
        var expected: [[UInt8]] = []
        var cursors: [any EntryCursor] = []
        for sequence in 0..<count {
            let entries = SortedEntries()
            for key in (0..<random.next() % 6 * 5).map({ _ in UInt8(random.next() % 9) }).sorted() {
                let entry = [key, UInt8(sequence)]
                entry.withUnsafeBufferPointer { entries.append(.init(rebasing: $0[..<1]), .init(rebasing: $0[1...])) }
                expected.append(entry)
            }
            cursors.append(entries.inMemory())
        }
        let merge = try EntryMerge(cursors)
        var merged: [[UInt8]] = []
        while let entry = try merge.next() { merged.append(Array(entry[8...])) }
        let isOver = try merge.next() == nil
        #expect(isOver && merged == expected.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test("entries are in the order of their keys, equal ones in that of their arrival", arguments: [0, 1, 2, 255, 256, 257, 5000], 0..<6)
    func order(count: Int, kind: Int) throws {
        var random = Seeded(UInt64(count * 10 + kind))
        let keys = (0..<count).map { index -> [UInt8] in
            let number = random.next()
            return switch kind {
            case 0: Array("2026-03-\(10 + number % 20)T\(10 + number >> 8 % 14):\(10 + number >> 16 % 50)".utf8)
            case 1: (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
            case 2: Array(repeating: 7, count: 80) + [UInt8(truncatingIfNeeded: number)]
            case 3: (0..<number % 12).map { UInt8(truncatingIfNeeded: number >> (8 + $0 * 4) % 3) }
            case 4: [UInt8(truncatingIfNeeded: (count - index) >> 8), UInt8(truncatingIfNeeded: count - index)]
            default: [1, UInt8(truncatingIfNeeded: number % 3), 2]
            }
        }
        let entries = SortedEntries()
        for (index, key) in keys.enumerated() {
            key.withUnsafeBufferPointer { key in withUnsafeBytes(of: index.bigEndian) { entries.append(key, $0.bindMemory(to: UInt8.self)) } }
        }
        let cursor = entries.inMemory()
        var found: [[UInt8]] = []
        while let entry = try cursor.next() { found.append(Array(entry[8...])) }
        let expected = keys.enumerated().sorted { left, right in
            left.element == right.element ? left.offset < right.offset : left.element.lexicographicallyPrecedes(right.element)
        }
        #expect(found == expected.map { key in key.element + withUnsafeBytes(of: key.offset.bigEndian, Array.init) })
    }

    @Test("many small files are merged, and stay in order")
    func manyRuns() throws {
        var random = Seeded(11)
        let entries = SortedEntries()
        let room = StageRoom(memory: 0, folder: NSTemporaryDirectory())
        var keys: [[UInt8]] = []
        for index in 0..<3000 {
            let key = (0..<random.next() % 12).map { _ in UInt8(truncatingIfNeeded: random.next() % 3) }
            keys.append(key)
            key.withUnsafeBufferPointer { key in withUnsafeBytes(of: index) { entries.append(key, $0.bindMemory(to: UInt8.self)) } }
            if index % 20 == 19 { try entries.spill(to: room) }
        }
        #expect(entries.runs.count < 64)
        let merge = try EntryMerge(entries.cursors())
        var found: [[UInt8]] = []
        while let entry = try merge.next(), let start = entry.baseAddress { found.append(Array(SortedEntries.key(at: start))) }
        #expect(found == keys.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test("keys as bytes have the order of their values")
    func orderKeys() throws {
        let scratch = Scratch(reader: JSONReader())
        var random = Seeded(3)
        var cells: [Cell] = [.null, .bool(true), .bool(false), .double(.nan), .double(-0.0), .int(0), .uint(0), .double(0x1p63), .uint(1 << 63), .int(.min)]
        for _ in 0..<60 {
            let bits = random.next()
            cells += [.double(Double(bitPattern: bits)), .int(Int64(bitPattern: bits >> (bits & 63))), .uint(random.next())]
            cells.append(.int(Int64(1 << 53) + Int64(bits % 5) - 2))
            cells.append(.double(Double(Int64(1 << 53) + Int64(bits % 7) - 3)))
            cells.append(scratch.text(copying: String(repeating: ["\u{0}", "a", "\u{1}"][Int(bits % 3)], count: Int(bits >> 8 % 4))))
            cells.append(.timestamp(seconds: Int64(bits % 9) - 4, nanoseconds: UInt32(bits >> 60)))
            cells.append(.duration(seconds: Int64(bits % 3) - 1, nanoseconds: 0))
        }
        func key(_ cell: Cell, _ isDescending: Bool) throws -> [UInt8] {
            let buffer = ByteBuffer(capacity: 16)
            try OrderKey.append(cell, isDescending: isDescending, to: buffer, scratch)
            return buffer.withFilled(Array.init)
        }
        let up = try cells.map { try key($0, false) }
        let down = try cells.map { try key($0, true) }
        for (left, first) in cells.enumerated() {
            for (right, second) in cells.enumerated() {
                let order = CellOrder.compare(first, second)
                let found = up[left] == up[right] ? 0 : up[left].lexicographicallyPrecedes(up[right]) ? -1 : 1
                let reversed = down[left] == down[right] ? 0 : down[left].lexicographicallyPrecedes(down[right]) ? -1 : 1
                if found != order.signum() || reversed != -found { Issue.record("\(first) \(second)") }
            }
        }
    }

    @Test("times stay times, and text keeps its digits", arguments: [1, 4])
    func types(workers: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write((2...400).map { #"{"n":\#(500 - $0), "x": 1.\#($0)0}"# + "\n" }.joined().utf8, to: "a.jsonl")
        let stages = [
            RecordStage(name: "time", verb: SetFields([("t", try CellProgram("timestamp(n)"))])), RecordStage(name: "order", verb: try verb([("t", false)])),
            RecordStage(name: "after", verb: SetFields([("late", try CellProgram("t > timestamp(110)")), ("seconds", try CellProgram("t - timestamp(0)"))])),
        ]
        let run = try await folder.run(folder.pipeline([input], stages), workers: workers)
        let out = run.outcome.out.split(separator: "\n")
        #expect(out.count == 399 && run.report.records.dead == 0)
        #expect(out.first == #"{"n":100, "x": 1.4000,"t":"1970-01-01T00:01:40Z","late":false,"seconds":"100s"}"#)
    }
}
