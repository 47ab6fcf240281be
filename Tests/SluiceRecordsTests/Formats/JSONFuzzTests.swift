import Foundation
import SluiceCEL
import SluiceRecords
import Testing

/// Documents generated from a seed: valid ones, and the same with random damage.
struct JSONDocuments {
    var random: Seeded

    init(seed: UInt64) { random = Seeded(seed) }

    mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }

    mutating func space() -> String { pick(["", "", "", " ", "\t", "  ", "\r"]) }

    mutating func string() -> String {
        let pieces = [
            "a", "key", " ", "é", "€", "😀", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\u00e9"#, "{", "}", "[", ",", ":", "0123456789abcdefghijklmnopqrstuvwxyz",
        ]
        return "\"" + (0..<pick([0, 1, 2, 3, 5, 9])).map { _ in pick(pieces) }.joined() + "\""
    }

    mutating func number() -> String {
        let whole = pick(["0", "7", "12", "123456", "12345678", "123456789012", "9007199254740993", "9223372036854775807"])
        let fraction = pick(["", "", "", ".0", ".5", ".25", ".125", ".000001", ".123456789012"])
        return pick(["", "-"]) + whole + fraction + pick(["", "", "", "e2", "E-3", "e+1"])
    }

    mutating func value(_ depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0, 1: string()
        case 2: number()
        case 3: pick(["true", "false", "null"])
        case 4: pick(["\"\"", "{}", "[]", "[ ]", "0"])
        case 5: "[" + space() + (0..<pick([1, 2, 3])).map { _ in value(depth - 1) + space() }.joined(separator: "," + space()) + "]"
        default: object(depth - 1)
        }
    }

    /// Keys consist of a letter and a number, so that duplicates only come from damage.
    mutating func object(_ depth: Int) -> String {
        let keys = ["a", "b", "c", "d", "long_name_of_a_member"].shuffled(using: &random).prefix(pick([0, 1, 2, 3, 5]))
        return "{" + space() + keys.map { "\"\($0)\"" + space() + ":" + space() + value(depth) + space() }.joined(separator: "," + space()) + "}"
    }

    mutating func damaged(_ text: [UInt8]) -> [UInt8] {
        var bytes = text
        for _ in 0..<pick([1, 1, 2, 4]) where bytes.count > 4 {
            let place = Int.random(in: 4..<bytes.count, using: &random)
            switch pick([0, 1, 2, 3, 4]) {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(pick(Array("{}[]:,\"\\0 9-.eEtfn/u".utf8)), at: place)
            case 2: bytes[place] = pick(Array("{}[]:,\"\\0 9-.eEtfn/u\u{1}\t".utf8))
            case 3: bytes[place] = UInt8.random(in: 0...255, using: &random)
            default: bytes.swapAt(place, Int.random(in: 4..<bytes.count, using: &random))
            }
        }
        return bytes
    }
}

@Suite("JSON lines against another reader")
struct JSONFuzzTests {
    /// Foundation rejects numbers beyond the range of doubles and lone surrogates, which the
    /// grammar allows, and accepts a trailing comma, which it doesn't. These have tests of their
    /// own.
    static func isBeyondFoundation(_ text: [UInt8]) -> Bool {
        let text = String(decoding: text, as: UTF8.self)
        if text.contains(#/,[ \t\r\n]*[}\]]/#) { return true }
        return text.contains(#/[eE][+-]?[0-9]{3}/#) || text.contains(#/\\u[dD][89a-fA-F]/#) || text.contains(#/[0-9]{30}/#)
    }

    static func foundationReads(_ text: [UInt8]) -> Bool {
        do {
            return try JSONSerialization.jsonObject(with: Data(text)) is [String: Any]
        } catch {
            return false
        }
    }

    @Test("damaged documents are refused exactly where Foundation refuses them", arguments: 1...12 as ClosedRange<UInt64>)
    func damage(seed: UInt64) {
        var documents = JSONDocuments(seed: seed)
        let columns = ["a", "long_name_of_a_member"]
        let decoder = JSONLinesDecoder(columns: columns, spans: true)
        var refused = 0
        for _ in 0..<400 {
            let whole = Array(("{\"z\":0," + documents.object(4).dropFirst()).replacing("{\"z\":0,}", with: "{\"z\":0}").utf8)
            let text = documents.damaged(whole)
            let row = decode(text, columns: columns, spans: true, filler: documents.pick(Array("\n\"}0".utf8)), with: decoder)
            guard !Self.isBeyondFoundation(text) else { continue }
            refused += row.outcome == .failed ? 1 : 0
            #expect((row.outcome != .failed) == Self.foundationReads(text), "\(String(decoding: text, as: UTF8.self)): \(row.message ?? "decoded")")
        }
        #expect(refused > 100)
    }

    @Test("valid documents have the values that Foundation finds", arguments: 1...8 as ClosedRange<UInt64>)
    func values(seed: UInt64) throws {
        var documents = JSONDocuments(seed: seed)
        let columns = ["a", "b", "c", "d", "long_name_of_a_member"]
        let decoder = JSONLinesDecoder(columns: columns)
        for _ in 0..<300 {
            let text = Array(documents.object(3).utf8)
            let row = decode(text, columns: columns, with: decoder)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
            for (name, cell) in zip(columns, row.cells) {
                #expect(Self.isSame(cell, object[name]), "\(String(decoding: text, as: UTF8.self)): \(name) is \(cell)")
            }
        }
    }

    static func isSame(_ cell: CellValue, _ other: Any?) -> Bool {
        switch cell {
        case .absent: other == nil
        case .null: other is NSNull
        case .bool(let value): (other as? Bool) == value
        case .int(let value): (other as? NSNumber)?.int64Value == value
        // Foundation doesn't always give the nearest double; another test covers exactness.
        case .double(let value): (other as? NSNumber).map { abs($0.doubleValue - value) <= 1e-14 * value.magnitude } ?? false
        case .decimal("-0"): (other as? NSNumber)?.doubleValue == 0
        case .decimal(let text): (other as? NSNumber).map { abs($0.doubleValue / (Double(text) ?? .nan) - 1) < 1e-14 } ?? false
        case .string(let value): (other as? String).map { Array($0.utf8) } == Array(value.utf8)
        case .json: other is [Any] || other is [String: Any]
        default: false
        }
    }

    @Test("noise never crashes, and decodes the same alone, in a batch and before arbitrary bytes", arguments: 1...8 as ClosedRange<UInt64>)
    func noise(seed: UInt64) {
        var documents = JSONDocuments(seed: seed)
        let alphabet = ["{", "}", "[", "]", ":", ",", "\"a\"", "\"a\":", "{\"a\":", "1", "-0.5e3", "true", "null", "\\", "\"", " ", "\u{0}", "é", "{\"a\":1}"]
        let columns = ["a"]
        let decoder = JSONLinesDecoder(columns: columns, spans: true)
        let texts = (0..<300).map { number -> [UInt8] in
            number % 2 == 0
                ? Array((0..<documents.pick([1, 3, 8, 20])).map { _ in documents.pick(alphabet) }.joined().utf8)
                : documents.damaged(Array(documents.object(3).utf8)).filter { $0 != 0x0A }
        }
        let together = decodeLines(texts, columns: columns, spans: true, with: decoder)
        for (text, row) in zip(texts, together) {
            for filler in Array("\"}]\\\n".utf8) {
                let alone = decode(text, columns: columns, spans: true, filler: filler, with: decoder)
                #expect(alone.outcome == row.outcome && alone.cells == row.cells && alone.spans == row.spans, "\(String(decoding: text, as: UTF8.self))")
            }
        }
    }

    @Test("access logs: noise never crashes and a line is the same whatever follows it", arguments: 1...4 as ClosedRange<UInt64>)
    func accessLogNoise(seed: UInt64) {
        var documents = JSONDocuments(seed: seed)
        let decoder = AccessLogDecoder(.combined, columns: AccessLogTests.names)
        let texts = (0..<200).map { _ in documents.damaged(Array(AccessLogTests.line.utf8)).filter { $0 != 0x0A } }
        let together = decodeLines(texts, columns: AccessLogTests.names, with: decoder)
        for (text, row) in zip(texts, together) {
            for filler in Array("\" -\n".utf8) {
                let alone = decode(text, columns: AccessLogTests.names, filler: filler, with: decoder)
                #expect(alone.outcome == row.outcome && alone.cells == row.cells, "\(String(decoding: text, as: UTF8.self))")
            }
        }
    }
}
