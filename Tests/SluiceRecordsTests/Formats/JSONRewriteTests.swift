import Foundation
import SluiceCEL
import SluiceRecords
import Testing

@Suite("Rewriting JSON records")
struct JSONRewriteTests {
    typealias Member = JSONRewrite.Member

    /// Rewrites one record; the columns are its members in order, followed by those of `values`.
    static func rewrite(
        _ text: String, _ members: [(String, JSONRewrite.Fate)], rest: Bool = true, additions: [JSONFields.Field] = [], values: [Cell] = []
    ) -> String {
        let columns = members.map(\.0)
        let table = RowTable(columns: columns.count + values.count, hasSpans: true)
        table.prepare(rows: 1)
        let memory = GuardedText(atLeast: text.utf8.count)
        let placed = memory.place(Array(text.utf8), filler: UInt8(ascii: "}"))
        JSONLinesDecoder(columns: columns, spans: true).decode(placed, row: 0, into: table)
        guard table.outcomes[0] != .failed else { return table.failures[0].message }
        for (index, value) in values.enumerated() { table.row(0)[columns.count + index] = value }
        let rewrite = JSONRewrite(
            members: members.enumerated().map { Member(column: $0, name: $1.0, fate: $1.1) }, passesRest: rest, additions: additions)
        return withExtendedLifetime((memory, table)) {
            written { rewrite.write(placed, table.outcomes[0], table.rowSpans(0), table.row(0), Scratch(), to: $0) }
        }
    }

    static let cuts: [(String, [String], String)] = [
        (#"{"a":1,"b":2,"c":3}"#, ["a"], #"{"b":2,"c":3}"#), (#"{"a":1,"b":2,"c":3}"#, ["b"], #"{"a":1,"c":3}"#),
        (#"{"a":1,"b":2,"c":3}"#, ["c"], #"{"a":1,"b":2}"#), (#"{"a":1,"b":2,"c":3}"#, ["a", "b"], #"{"c":3}"#),
        (#"{"a":1,"b":2,"c":3}"#, ["c", "a"], #"{"b":2}"#), (#"{"a":1,"b":2,"c":3}"#, ["b", "c"], #"{"a":1}"#),
        (#"{"a":1,"b":2,"c":3}"#, ["a", "b", "c"], "{}"), (#"{"a":1,"b":2,"c":3}"#, ["x"], #"{"a":1,"b":2,"c":3}"#), ("{}", ["x"], "{}"),
        (#" { "a" : 1 , "b" : 2 } "#, ["a"], #"{"b" : 2 }"#), (#" { "a" : 1 , "b" : 2 } "#, ["b"], #"{"a" : 1 }"#),
        (#"{"a":1, "b":2, "c":3}"#, ["b"], #"{"a":1, "c":3}"#), (#"{ "a":1 }"#, ["a"], "{}"), ("{ }\r", ["a"], "{}"),
        (#"{"a":"},\"{","b":[{"a":1}]}"#, ["b"], #"{"a":"},\"{"}"#),
    ]

    @Test("members are removed with the right comma", arguments: cuts)
    func cut(text: String, names: [String], expected: String) {
        let output = Self.rewrite(text, names.map { ($0, .cut) })
        #expect(output.filter { $0 != " " } == expected.filter { $0 != " " })
        #expect((try? JSONSerialization.jsonObject(with: Data(output.utf8))) != nil, "\(output)")
    }

    @Test("values are replaced in place, added if there was none, kept if the new one is absent")
    func replace() {
        let fate = JSONRewrite.Fate.replace(key: "b", column: 1)
        #expect(Self.rewrite(#"{"a":1,"b":2,"c":3}"#, [("b", fate)], values: [.int(9)]) == #"{"a":1,"b":9,"c":3}"#)
        #expect(Self.rewrite(#"{"a":1, "b" : 2}"#, [("b", fate)], values: [.null]) == #"{"a":1, "b" : null}"#)
        #expect(Self.rewrite(#"{"a":1}"#, [("b", fate)], values: [.int(9)]) == #"{"a":1,"b":9}"#)
        #expect(Self.rewrite("{}", [("b", fate)], values: [.int(9)]) == #"{"b":9}"#)
        #expect(Self.rewrite(#"{"b":2}"#, [("b", fate)], values: [.absent]) == #"{"b":2}"#)
        let renamed = JSONRewrite.Fate.replace(key: "z", column: 1)
        #expect(Self.rewrite(#"{"a":1,"b":2,"c":3}"#, [("b", renamed)], values: [.bool(true)]) == #"{"a":1,"z":true,"c":3}"#)
        #expect(Self.rewrite(#"{"a":1,"b":2,"c":3}"#, [("b", renamed)], values: [.absent]) == #"{"a":1,"z":2,"c":3}"#)
    }

    @Test("members are renamed, yielded and added")
    func otherFates() {
        #expect(Self.rewrite(#"{"a":1,"b":"x"}"#, [("a", .rename(to: "n\""))]) == #"{"n\"":1,"b":"x"}"#)
        #expect(Self.rewrite(#"{"b":1}"#, [("a", .rename(to: "n"))]) == #"{"b":1}"#)
        #expect(Self.rewrite(#"{"a":1,"b":2}"#, [("a", .yield(to: 1))], values: [.absent]) == #"{"a":1,"b":2}"#)
        #expect(Self.rewrite(#"{"a":1,"b":2}"#, [("a", .yield(to: 1))], values: [.int(1)]) == #"{"b":2}"#)
        let additions = [JSONFields.Field(key: "n", column: 1), .init(key: "m", column: 2), .init(key: "o", column: 1, unless: 2)]
        #expect(Self.rewrite(#"{"a":1}"#, [("a", .cut)], additions: additions, values: [.int(1), .int(2)]) == #"{"n":1,"m":2}"#)
        #expect(Self.rewrite(#"{"a":1}"#, [("a", .keep)], additions: additions, values: [.int(1), .absent]) == #"{"a":1,"n":1,"o":1}"#)
    }

    @Test("only the members asked for, in the record's order")
    func select() {
        let text = #"{"a":1, "b":[1, 2], "c":"x"}"#
        #expect(Self.rewrite(text, [("c", .keep), ("a", .keep)], rest: false) == #"{"a":1,"c":"x"}"#)
        #expect(Self.rewrite(text, [("x", .keep)], rest: false) == "{}")
        #expect(Self.rewrite(text, [("a", .cut), ("b", .rename(to: "l"))], rest: false) == #"{"l":[1, 2]}"#)
        let replaced = JSONRewrite.Fate.replace(key: "c", column: 2)
        #expect(Self.rewrite(text, [("b", .keep), ("c", replaced)], rest: false, values: [.int(0)]) == #"{"b":[1, 2],"c":0}"#)
        #expect(Self.rewrite("{}", [("b", .keep), ("c", replaced)], rest: false, values: [.int(0)]) == #"{"c":0}"#)
    }

    @Test("the last of equal members remains, whether a stage named it or not")
    func duplicates() {
        let text = #"{"a":1,"z":0,"a":2,"z":1,"\u0061":3}"#
        #expect(Self.rewrite(text, [("a", .cut)]) == #"{"z":1}"#)
        #expect(Self.rewrite(text, [("a", .rename(to: "b"))]) == #"{"z":1,"b":3}"#)
        #expect(Self.rewrite(text, [("a", .keep)], rest: false) == #"{"\u0061":3}"#)
        #expect(Self.rewrite(text, [("a", .replace(key: "a", column: 1))], values: [.int(9)]) == #"{"z":1,"\u0061":9}"#)
        #expect(Self.rewrite(#"{"z":0,"a":1, "z":{"z":1,"z":2} }"#, []) == #"{"a":1, "z":{"z":1,"z":2} }"#)
        #expect(Self.rewrite(#"{"z":0,"z":1,"z":2}"#, []) == #"{"z":2}"#)
    }

    @Test("edits of any records equal those of a dictionary", arguments: 1...10 as ClosedRange<UInt64>)
    func generated(seed: UInt64) throws {
        var random = Seeded(seed)
        let names = ["a", "b", "c", "d", "e"]
        let spaces = ["", " ", "  "]
        for _ in 0..<300 {
            func space() -> String { spaces[Int.random(in: 0..<9, using: &random) % 3] }
            let present = names.shuffled(using: &random).prefix(Int.random(in: 0...5, using: &random))
            let text =
                space() + "{" + space()
                + present.map { #""\#($0)"\#(space()):\#(space())\#(Int.random(in: 0..<100, using: &random))\#(space())"# }.joined(separator: "," + space())
                + "}"
            var expected = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Int])
            var members: [(String, JSONRewrite.Fate)] = []
            for name in names.shuffled(using: &random).prefix(Int.random(in: 0...4, using: &random)) {
                let old = expected[name]
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    members.append((name, .cut))
                    expected[name] = nil
                case 1:
                    members.append((name, .rename(to: name + name)))
                    expected[name] = nil
                    expected[name + name] = old
                default:
                    members.append((name, .replace(key: name, column: -1)))
                    expected[name] = -5
                }
            }
            members = members.map { name, fate in
                if case .replace = fate { (name, .replace(key: name, column: members.count)) } else { (name, fate) }
            }
            let output = Self.rewrite(text, members, values: [.int(-5)])
            let read = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Int], "\(text) to \(output)")
            #expect(read == expected, "\(text) to \(output)")
        }
    }
}

@Suite("Members and values of JSON text")
struct JSONReaderTests {
    static func placed<Result>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
        let memory = GuardedText(atLeast: text.utf8.count)
        return try withExtendedLifetime(memory) { try body(memory.place(Array(text.utf8), filler: UInt8(ascii: "1"))) }
    }

    @Test("text reads as values")
    func values() throws {
        let text = #" {"a":[1,-2.5,"x\n",true,null,{}],"b":18446744073709551615,"c":{"d":[]},"a2":"é","n":99999999999999999999} "#
        let value = try Self.placed(text) { try JSONReader().value(ofJSON: $0) }
        let expected: Value = .map([
            "a": .list([.int(1), .double(-2.5), .string("x\n"), .bool(true), .null, .map(ValueMap())]), "b": .uint(.max), "c": .map(["d": .list([])]),
            "a2": .string("é"), "n": .double(1e20),
        ])
        #expect(value == expected)
    }

    @Test("the last of equal keys counts")
    func duplicates() throws {
        #expect(try Self.placed(#"{"a":1,"b":2,"a":3}"#) { try JSONReader().value(ofJSON: $0) } == .map(["a": .int(3), "b": .int(2)]))
    }

    @Test("an invalid record is not a value", arguments: JSONGrammarTests.bad.map(\.0).filter { $0.hasPrefix("{") } + ["", " ", "1 2", "[1", "\"a", "-"])
    func refuses(text: String) {
        #expect(throws: EvaluationError.self) { try Self.placed(text) { try JSONReader().value(ofJSON: $0) } }
    }

    @Test("valid records are read as by Foundation", arguments: JSONGrammarTests.good)
    func good(text: String) throws {
        let value = try Self.placed(text) { try JSONReader().value(ofJSON: $0) }
        guard case .map = value else {
            Issue.record("not a map")
            return
        }
        let again = written { JSONText.write(value, to: $0) }
        #expect(try Self.placed(again) { try JSONReader().value(ofJSON: $0) } == value || text.contains("1e400"))
    }

    @Test("100,000 levels are an error, not a crash")
    func deep() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: EvaluationError.self) { try Self.placed(text) { try JSONReader().value(ofJSON: $0) } }
    }

    @Test("one member is found without reading the others")
    func member() throws {
        let text = #"{"a":{"b":1},"b":"x\ty","c":[1, 2],"\u0064":7,"e":1,"e":2}"#
        let scratch = Scratch()
        try Self.placed(text) { (text) throws in
            func found(_ name: String) throws -> CellValue? { try JSONReader().member(name, ofJSON: text, scratch).map { CellValue($0) } }
            #expect(try found("a") == .json(#"{"b":1}"#))
            #expect(try found("b") == .string("x\ty"))
            #expect(try found("c") == .json("[1, 2]"))
            #expect(try found("d") == .int(7))
            #expect(try found("e") == .int(2))
            #expect(try found("f") == .absent)
        }
        #expect(try Self.placed("[1]") { try JSONReader().member("a", ofJSON: $0, scratch) } == nil)
        #expect(throws: EvaluationError.self) { try Self.placed(#"{"a":1,"b"}"#) { try JSONReader().member("a", ofJSON: $0, scratch) } }
    }

    @Test("names, trimming, merging")
    func members() {
        Self.placed(#" {"a":1,"\u0062":2,"a":3} "#) { text in
            #expect(JSONMembers.names(of: text) == ["a", "b", "a"])
            #expect(String(decoding: JSONMembers.trimmed(text), as: UTF8.self) == #"{"a":1,"\u0062":2,"a":3}"#)
            Self.placed(#"{"b":[1],"c":4,"c":5}"#) { other in
                #expect(written { JSONMembers.merge(text, with: other, into: $0) } == #"{"\u0062":[1],"a":3,"c":5}"#)
            }
            #expect(written { JSONMembers.merge(text, with: nil, into: $0) } == #"{"a":1,"\u0062":2,"a":3}"#)
        }
    }

    @Test("names that look alike and differ in their bytes are two names")
    func lookAlikes() {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        let text = #"{"\#(composed)":1,"\#(decomposed)":2}"#
        let same = { (text: String, other: String) in Array(text.utf8) == Array(other.utf8) }
        #expect(same(JSONRewriteTests.rewrite(text, [(decomposed, .cut)]), #"{"\#(composed)":1}"#))
        #expect(same(JSONRewriteTests.rewrite(#"{"\#(composed)":1}"#, [(composed, .rename(to: decomposed))]), #"{"\#(decomposed)":1}"#))
        let twice = #"{"\#(composed)":1,"\#(decomposed)":2,"\#(composed)":3}"#
        #expect(same(JSONRewriteTests.rewrite(twice, [(composed, .keep), (decomposed, .keep)], rest: false), #"{"\#(decomposed)":2,"\#(composed)":3}"#))
        Self.placed(#"{"\#(composed)":1}"#) { text in
            Self.placed(#"{"\#(decomposed)":2}"#) { other in
                #expect(same(written { JSONMembers.merge(text, with: other, into: $0) }, #"{"\#(composed)":1,"\#(decomposed)":2}"#))
            }
        }
    }
}
