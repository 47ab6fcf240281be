import Foundation
import Glibc
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("JSON documents, cut into records")
struct DocumentScanTests {
    private static func read(_ text: String, path: [String] = [], chunk: Int = 256 << 10, maxRecord: Int = 16 << 20) throws -> ReadAll {
        try ReadAll(Array(text.utf8), maxRecord: maxRecord, chunk: chunk, framing: .documents(path: path), name: "test.json")
    }

    /// Objects and lists with all that can be in them, written with or without white space.
    private struct Writer {
        var random: Seeded
        var isPretty: Bool

        mutating func space(_ depth: Int) -> String { isPretty ? "\n" + String(repeating: "  ", count: depth) : "" }

        mutating func value(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 4 ? 5 : 8), using: &random) {
            case 0: return "\(Int.random(in: -99...99, using: &random))"
            case 1: return ["true", "false", "null", "1.5e+3", "-0"].randomElement(using: &random) ?? ""
            case 2, 3, 4: return string()
            case 5: return object(depth)
            default:
                let values = (0..<Int.random(in: 0...3, using: &random)).map { _ in space(depth + 1) + value(depth + 1) }
                return values.isEmpty ? "[]" : "[" + values.joined(separator: ",") + space(depth) + "]"
            }
        }

        mutating func string() -> String {
            let pieces = ["a", "é", "{", "}", "[", "]", ",", ":", "\\\"", "\\\\", "\\n", "\\u007d", "long text of more than thirty-two bytes "]
            return "\"" + (0..<Int.random(in: 0...5, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined() + "\""
        }

        mutating func object(_ depth: Int) -> String {
            let members = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                space(depth + 1) + string() + (isPretty ? ": " : ":") + value(depth + 1)
            }
            return members.isEmpty ? "{}" : "{" + members.joined(separator: ",") + space(depth) + "}"
        }

        mutating func list(_ records: [String], _ depth: Int) -> String {
            "[" + records.map { space(depth + 1) + $0 }.joined(separator: ",") + space(depth) + "]"
        }
    }

    @Test("finds the records of documents, however they are written and read", arguments: 1...12 as ClosedRange<UInt64>)
    func records(seed: UInt64) throws {
        var writer = Writer(random: Seeded(seed), isPretty: seed % 2 == 0)
        var text = ""
        var records: [String] = []
        var inList: [String] = []
        var documents: [String] = []
        for _ in 0..<20 {
            let own = (0..<Int.random(in: 0...4, using: &writer.random)).map { _ in writer.object(2) }
            records += own
            let others = "\"x\(text.count)\":" + writer.value(1)
            documents.append(
                "{\(others),\(writer.space(1))\"da\\u0074a\":{\"y\":\(writer.value(2)),\"items\":"
                    + writer.list(own, 2) + "},\"z\":{\"items\":[{}]}}")
            text += documents.last ?? ""
            text += ["", "\n", "\r\n \t", " "].randomElement(using: &writer.random) ?? ""
            inList.append(writer.list(own, 0))
        }
        let whole = try Self.read(text, path: ["data", "items"])
        #expect(whole.texts == records)
        #expect(whole.faults.isEmpty)
        for record in whole.records {
            let offset = Int(record.position.offset)
            #expect(Array(text.utf8)[offset..<offset + record.bytes.count].elementsEqual(record.bytes))
            #expect(Array(text.utf8)[..<offset].count { $0 == 0x0A } + 1 == record.position.line)
        }
        for chunk in [1, 7, 1000] { #expect(try Self.read(text, path: ["data", "items"], chunk: chunk) == whole) }
        #expect(try Self.read(inList.joined(separator: "\n")).texts == records)
        #expect(try Self.read(records.joined(separator: " "), chunk: 5).texts == records)
        #expect(try Self.read(writer.list(documents, 0), path: ["data", "items"], chunk: 11).texts == records)
    }

    @Test("batches are the same however the text is read, and can be skipped to go on", arguments: [true, false])
    func batches(isPretty: Bool) throws {
        var writer = Writer(random: Seeded(3), isPretty: isPretty)
        var text = "{\"skipped\":\"" + String(repeating: "x", count: 3 << 20) + "\",\"Records\":["
        var count = 0
        while text.utf8.count < 7 << 20 {
            text += (count == 0 ? "" : ",") + writer.object(1)
            count += 1
            if count % 4000 == 0 { text += "],\"more\":[\(String(repeating: "1,\n", count: 500_000))0],\"Records\":[{}" }
        }
        text += "]}"
        let whole = try Self.read(text, path: ["Records"])
        #expect(whole.faults.isEmpty)
        #expect(whole.cuts.count >= 3)
        #expect(try Self.read(text, path: ["Records"], chunk: 50_021) == whole)
        #expect(try Self.read(text, path: ["Records"], chunk: 8 << 20) == whole)

        var configuration = BatchReader.Configuration(spillFolder: "/tmp")
        configuration.framing = .documents(path: ["Records"])
        let bytes = Array(text.utf8)
        for skipped in 1..<whole.cuts.count {
            var at = 0
            let window = InputWindow(chunk: 100_003) { memory in
                let count = min(memory.count, bytes.count - at)
                bytes[at..<at + count].withUnsafeBytes { memory.copyMemory(from: $0) }
                at += count
                return count
            }
            let buffers = BufferPool(capacity: Batch.targetBytes, most: 2)
            let reader = try BatchReader(
                InputFile(path: "a"), index: 0, configuration: configuration, buffers: buffers, window: window, bytes: nil)
            try reader.skip(skipped, returningTo: buffers)
            let next = try #require(try reader.next())
            #expect(next.number == skipped && next.offset == whole.cuts[skipped].offset && next.frames.count == whole.cuts[skipped].records)
        }
    }

    static let wrong: [(text: String, path: [String], records: [String], faults: [String])] = [
        ("[{\"a\":1},{\"a\":2}", [], ["{\"a\":1}", "{\"a\":2}", ""], ["the document ends before it is complete"]),
        ("[{\"a\":1},", [], ["{\"a\":1}", ""], ["the document ends before it is complete"]),
        ("[{\"a\":1},{\"a\":", [], ["{\"a\":1}", "{\"a\":"], ["the document ends inside a record"]),
        ("[{\"a\":1},]", [], ["{\"a\":1}", "]"], ["the document is not valid JSON: expected a value, found ']'"]),
        ("[{\"a\":1} {\"a\":2}]", [], ["{\"a\":1}", "{\"a\":2}]"], ["the document is not valid JSON: expected ',' or ']', found '{'"]),
        ("[\n{\"a\" 1},\n{\"b\":2}\n]", [], ["{\"a\" 1},", "{\"b\":2}"], ["the record is not valid JSON: expected ':', found '1'"]),
        ("[\n {\"a\":\"x},\n {\"b\":2}]", [], ["{\"a\":\"x},", "{\"b\":2}"], ["the record is not valid JSON: expected the end of a string, found byte 0x0A"]),
        (
            "[\n {\n  \"a\":[{},\n  {}}\n }, {\n  \"b\":2\n }]", [], ["{\n  \"a\":[{},\n  {}}", "{\n  \"b\":2\n }"],
            ["the record is not valid JSON: expected ',' or ']', found '}'"]
        ),
        ("{\"a\":1\n{\"b\":2}\n{\"c\":3}", [], ["{\"a\":1", "{\"b\":2}", "{\"c\":3}"], ["the record is not valid JSON: expected ',' or '}', found '{'"]),
        (
            "[\n {\"a\":1,\n {\"b\":{\n {\"c\":3},\n {\"d\":4}]", [], ["{\"a\":1,", "{\"b\":{", "{\"c\":3}", "{\"d\":4}"],
            ["the record is not valid JSON: expected '\"', found '{'", "the record is not valid JSON: expected '\"' or '}', found '{'"]
        ),
        (
            "{\"R\":[\n  {\n    \"a\": [1]\n  ,\n  {\n    \"b\":\n    {}\n  }\n]}", ["R"], ["{\n    \"a\": [1]\n  ,", "{\n    \"b\":\n    {}\n  }"],
            ["the record is not valid JSON: expected '\"', found '{'"]
        ),
        ("{\"R\":7}{\"R\":[{}]}", ["R"], ["7", "{}"], ["expected a list at 'R', found '7'"]),
        ("{\"r\":[{}]} {\"R\":[{}]}", ["R"], ["{\"r\":[{}]}", "{}"], ["the document has no list at 'R'"]),
        ("{\"a\":{\"c\":1}}\n", ["a", "b"], ["{\"a\":{\"c\":1}}"], ["the document has no list at 'a.b'"]),
        ("{\"a\":[1,}\n{\"R\":[{}]}", ["R"], ["{\"a\":[1,}", "{}"], ["the document is not valid JSON: expected a value, found '}'"]),
        (
            "{\"R\":[{},{]}\n{\"x\":1}\n{\"R\":[{\"y\":2}]}", ["R"], ["{}", "{]}", "{\"x\":1}", "{\"y\":2}"],
            ["the record is not valid JSON: expected '\"' or '}', found ']'", "the document has no list at 'R'"]
        ),
        ("hello\n{\"a\":1}", [], ["hello", "{\"a\":1}"], ["the document is not valid JSON: expected '{' or '[', found 'h'"]),
        ("{\"a\n\":1}", ["a"], ["{\"a\n\":1}"], ["the document is not valid JSON: expected the end of a string, found byte 0x0A"]),
    ]

    @Test("text that is not valid is one record with its fault, up to the next that can be recognized", arguments: wrong)
    func faults(text: String, path: [String], records: [String], faults: [String]) throws {
        for chunk in [1, 3, 1 << 20] {
            let read = try Self.read(text, path: path, chunk: chunk)
            #expect(read.texts == records)
            #expect(read.faults.sorted { $0.key < $1.key }.map(\.value) == faults)
        }
    }

    @Test("an empty file, and white space, have no records", arguments: ["", "\n", " \r\n\t", "[]", "[ ]\n", "[][]", "{\"R\":[]}", "{\"R\":null}"])
    func nothing(text: String) throws {
        let read = try Self.read(text, path: text.contains("R") ? ["R"] : [])
        #expect(read.records.isEmpty && read.faults.isEmpty)
    }

    @Test("a record over the size limit is set aside alone, even on a single line")
    func long() throws {
        let long = "{\"a\":\"" + String(repeating: "x", count: 3 << 20) + "\"}"
        let read = try Self.read("{\"R\":[{\"n\":1},\(long),{\"n\":2},\n\n\(long)\n,{\"n\":3}]}", path: ["R"], maxRecord: 1000)
        #expect(read.texts == ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"])
        #expect(read.spilled.map(\.byteCount) == [UInt64(long.utf8.count), UInt64(long.utf8.count)])
        #expect(read.spilled.map(\.position.line) == [1, 3])
        #expect(read.records.map(\.position.line) == [1, 1, 4])
        #expect(read.faults.isEmpty)
        for record in read.spilled { unlink(record.spill) }
    }

    @Test("values before the list may be longer than memory allows")
    func skipped() throws {
        let text = "{\"x\":[\"" + String(repeating: "\\\\é", count: 2 << 20) + "\"],\"R\":[{\"n\":1}]}{\"x\":\"" + String(repeating: "y", count: 5000) + "\"}"
        let read = try Self.read(text, path: ["R"], maxRecord: 1000)
        #expect(read.texts == ["{\"n\":1}", "}"])
        #expect(Array(read.faults.values) == ["the document has no list at 'R'"])
        #expect(read.spilled.isEmpty)
    }

    @Test("after a gap, records go on at the next line that can begin one")
    func gaps() throws {
        func broken(_ text: String) -> [UInt8] {
            let bytes = Array(text.utf8)
            let size = UInt64(bytes.count)
            return GzipSamples.bytes(of: .init()) + [0] + GzipSamples.little(size, 2) + GzipSamples.little(~size & 0xFFFF, 2) + bytes
                + [UInt8](repeating: 7, count: 40)
        }
        let input = broken("[\n  {\"n\":1},\n  {\"n\":2},\n  {\"n\"") + GzipSamples.member("4, \"x\":1},\n  {\"n\":5}\n]\n")
        let list = try ReadAll(input, framing: .documents(path: []))
        #expect(list.texts == ["{\"n\":1}", "{\"n\":2}", "4, \"x\":1},", "{\"n\":5}"])
        #expect(Array(list.faults.values) == ["the text follows a gap, and no record begins in it"])
        let documents = broken("{\"R\":[{\"n\":1},{\"n\":2") + GzipSamples.member("{\"R\":[{\"n\":3}]}")
        let read = try ReadAll(documents, framing: .documents(path: ["R"]))
        #expect(read.texts == ["{\"n\":1}", "{\"n\":3}"])
        #expect(read.faults.isEmpty && read.kinds == [.corrupt])
    }

    @Test("random damage is read alike in every way, and no text is lost", arguments: 1...12 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var writer = Writer(random: Seeded(seed), isPretty: seed % 3 != 0)
        for _ in 0..<30 {
            let path = Bool.random(using: &writer.random) ? ["R"] : []
            var bytes: [UInt8] = []
            for _ in 0..<3 {
                let list = writer.list((0..<4).map { _ in writer.object(2) }, 1)
                let others = Bool.random(using: &writer.random) ? "" : writer.string() + " :" + writer.value(1) + ","
                bytes += Array((path.isEmpty ? list : "{\(others)\"R\":\(list)}").utf8) + [0x0A]
            }
            let maxRecord = Bool.random(using: &writer.random) ? 16 << 20 : Int.random(in: 1...70, using: &writer.random)
            for _ in 0..<Int.random(in: 1...4, using: &writer.random) {
                let place = Int.random(in: 0..<bytes.count, using: &writer.random)
                switch Int.random(in: 0..<3, using: &writer.random) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(Array("{}[]\",:\n\\ 1".utf8).randomElement(using: &writer.random) ?? 0, at: place)
                default: bytes.removeSubrange(place...)
                }
                if bytes.isEmpty { bytes = [0x5B] }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let whole = try Self.read(text, path: path, maxRecord: maxRecord)
            for chunk in [1, 2, 13, 50] {
                let pieces = try Self.read(text, path: path, chunk: chunk, maxRecord: maxRecord)
                #expect(pieces == whole, "\(text), \(path), \(maxRecord), \(chunk)")
            }
            var end: UInt64 = 0
            for record in whole.records {
                #expect(record.position.offset >= end, "records overlap")
                end = record.position.offset + UInt64(record.bytes.count)
            }
        }
    }
}
