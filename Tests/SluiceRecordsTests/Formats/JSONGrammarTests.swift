import SluiceRecords
import Testing

@Suite("JSON lines: validity of records")
struct JSONGrammarTests {
    static let good: [String] = [
        "{}", " { } ", "{}\r", "\t{\"a\":1}\r", #"{"a":1}"#, #"{"a" : 1 , "b" : 2 }"#, #"{"":0}"#, #"{"a":{}}"#, #"{"a":[]}"#, #"{"a":[ ]}"#,
        #"{"a":{"b":[1,{"c":[[],[{}]]}]}}"#, #"{"a":[1,2,3]}"#, #"{"a":[ 1 , "x" , null , true , false ]}"#, #"{"a":0}"#, #"{"a":-0}"#, #"{"a":0.0}"#,
        #"{"a":-1.5e+10}"#, #"{"a":1E5}"#, #"{"a":1e-5}"#, #"{"a":0e1}"#, #"{"a":123456789012345678901234567890}"#, #"{"a":1e400}"#,
        #"{"a":0.00000000000000000000000000000000000000001}"#, #"{"a":"\"\\\/\b\f\n\r\t"}"#, #"{"a":"\u0000\u001f\uFFFF"}"#, #"{"a":"\ud83d\ude00"}"#,
        #"{"a":"\ud800"}"#, #"{"a":"\udc00\ud800"}"#, #"{"\u0061":1}"#, #"{"a":1,"a":2}"#, #"{"a":"é€😀"}"#, #"{"é":1}"#, "{\"a\":\"\u{7F}\"}",
        "{\"a\":\"\u{FEFF}\"}", "{\"a\":\"\u{FFFF}\"}", "{\"a\":\"\u{10FFFF}\"}", #"{"a":true,"b":false,"c":null}"#,
        #"{"a":"0123456789012345678901234567890123456789012345678901234567890123456789"}"#, "{\n\"a\"\n:\n1\n}",
        #"{"a":"x \\"}"#, #"{"a":"\\\""}"#, #"{"a":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}"#,
    ]

    static let bad: [(String, String)] = [
        ("x", "expected '{' at byte 0, found 'x'"), ("[]", "expected '{' at byte 0, found '['"), ("1", "expected '{' at byte 0, found '1'"),
        ("\"a\"", "expected '{' at byte 0, found '\"'"), ("null", "expected '{' at byte 0, found 'n'"),
        ("\u{FEFF}{}", "expected '{' at byte 0, found byte 0xEF"),
        ("{", "expected '\"' or '}' at byte 1, where the record ends"), ("{,}", "expected '\"' or '}' at byte 1, found ','"),
        ("{a:1}", "expected '\"' or '}' at byte 1, found 'a'"), ("{'a':1}", "expected '\"' or '}' at byte 1, found '''"),
        (#"{"a"}"#, "expected ':' at byte 4, found '}'"), (#"{"a""#, "expected ':' at byte 4, where the record ends"),
        (#"{"a":}"#, "expected a value at byte 5, found '}'"), (#"{"a":"#, "expected a value at byte 5, where the record ends"),
        (#"{"a":1"#, "expected ',' or '}' at byte 6, where the record ends"), (#"{"a":1,}"#, "expected '\"' at byte 7, found '}'"),
        (#"{"a":1,"#, "expected '\"' at byte 7, where the record ends"), (#"{"a":1 "b":2}"#, "expected ',' or '}' at byte 7, found '\"'"),
        (#"{"a":1,,"b":2}"#, "expected '\"' at byte 7, found ','"), (#"{"a":1}}"#, "expected the end of the record at byte 7, found '}'"),
        (#"{"a":1} x"#, "expected the end of the record at byte 8, found 'x'"), (#"{"a":1}{"b":2}"#, "expected the end of the record at byte 7, found '{'"),
        (#"{"a":1};"#, "expected the end of the record at byte 7, found ';'"), (#"{"a":01}"#, "expected ',' or '}' at byte 6, found '1'"),
        (#"{"a":-}"#, "expected a digit at byte 6, found '}'"), (#"{"a":-01}"#, "expected ',' or '}' at byte 7, found '1'"),
        (#"{"a":1.}"#, "expected a digit at byte 7, found '}'"), (#"{"a":.5}"#, "expected a value at byte 5, found '.'"),
        (#"{"a":1.e5}"#, "expected a digit at byte 7, found 'e'"), (#"{"a":1e}"#, "expected a digit at byte 7, found '}'"),
        (#"{"a":1e+}"#, "expected a digit at byte 8, found '}'"), (#"{"a":+1}"#, "expected a value at byte 5, found '+'"),
        (#"{"a":0x1}"#, "expected ',' or '}' at byte 6, found 'x'"), (#"{"a":1_000}"#, "expected ',' or '}' at byte 6, found '_'"),
        (#"{"a":NaN}"#, "expected a value at byte 5, found 'N'"), (#"{"a":Infinity}"#, "expected a value at byte 5, found 'I'"),
        (#"{"a":-Infinity}"#, "expected a digit at byte 6, found 'I'"), (#"{"a":True}"#, "expected a value at byte 5, found 'T'"),
        (#"{"a":tru}"#, "expected true, false or null at byte 5, found 't'"), (#"{"a":nul"#, "expected true, false or null at byte 5, found 'n'"),
        (#"{"a":truex}"#, "expected ',' or '}' at byte 9, found 'x'"), (#"{"a":nan}"#, "expected true, false or null at byte 5, found 'n'"),
        (#"{"a":"b}"#, "expected the end of a string at byte 8, where the record ends"),
        (#"{"a":"b\"}"#, "expected the end of a string at byte 10, where the record ends"),
        (#"{"a":"\x"}"#, "expected one of \"\\/bfnrtu after a backslash at byte 7, found 'x'"),
        (#"{"a":"\u12G4"}"#, "expected a hexadecimal digit at byte 10, found 'G'"),
        (#"{"a":"\u12"}"#, "expected a hexadecimal digit at byte 10, found '\"'"),
        (#"{"a":"\U0041"}"#, "expected one of \"\\/bfnrtu after a backslash at byte 7, found 'U'"),
        ("{\"a\":\"\u{1}\"}", "a control character in a string at byte 6, found byte 0x01"),
        ("{\"a\":\"x\ty\"}", "a control character in a string at byte 7, found byte 0x09"),
        ("{\"a\":\"\u{0}\"}", "a control character in a string at byte 6, found byte 0x00"),
        ("{\"a\u{0}\":1}", "a control character in a string at byte 3, found byte 0x00"), ("{\u{0}}", "expected '\"' or '}' at byte 1, found byte 0x00"),
        ("{}\u{0}", "expected the end of the record at byte 2, found byte 0x00"), ("{\u{A0}}", "expected '\"' or '}' at byte 1, found byte 0xC2"),
        ("{\u{C}}", "expected '\"' or '}' at byte 1, found byte 0x0C"), (#"{"a":[}"#, "expected a value at byte 6, found '}'"),
        (#"{"a":[1}"#, "expected ',' or ']' at byte 7, found '}'"), (#"{"a":[1,]}"#, "expected a value at byte 8, found ']'"),
        (#"{"a":[,1]}"#, "expected a value at byte 6, found ','"), (#"{"a":[1 2]}"#, "expected ',' or ']' at byte 8, found '2'"),
        (#"{"a":[1"#, "expected ',' or ']' at byte 7, where the record ends"), (#"{"a":["#, "expected a value at byte 6, where the record ends"),
        (#"{"a":{"b":1]}"#, "expected ',' or '}' at byte 11, found ']'"), (#"{"a":{"b":1,}}"#, "expected '\"' at byte 12, found '}'"),
        (#"{"a":{1:2}}"#, "expected '\"' or '}' at byte 6, found '1'"), (#"{"a":{"b"}}"#, "expected ':' at byte 9, found '}'"),
        (#"{"a":{"b":}}"#, "expected a value at byte 10, found '}'"), (#"{"a":]}"#, "expected a value at byte 5, found ']'"),
        (#"{"a":/*c*/1}"#, "expected a value at byte 5, found '/'"), (#"{"a":1//c}"#, "expected ',' or '}' at byte 6, found '/'"),
        (#"{1:1}"#, "expected '\"' or '}' at byte 1, found '1'"), (#"{"a":'b'}"#, "expected a value at byte 5, found '''"),
    ]

    @Test("valid records decode, with and without columns", arguments: good)
    func accepts(text: String) {
        for columns in [[], ["a"], ["b", "a"]] {
            let row = json(text, columns)
            #expect(row.outcome == .decoded || (row.outcome == .duplicated && text.contains(#""a":1,"a""#)), "\(row.message ?? "")")
        }
    }

    @Test("invalid records fail and say where", arguments: bad)
    func refuses(text: String, message: String) {
        for columns in [[], ["a"], ["b", "a"]] {
            let row = json(text, columns)
            #expect(row.outcome == .failed)
            #expect(row.code == "parse.jsonl")
            #expect(row.message == message)
            #expect(row.cells.allSatisfy { $0 == .absent })
        }
    }

    @Test("white space alone is a blank record", arguments: ["", " ", "\r", " \t \r", String(repeating: " ", count: 100)])
    func blank(text: String) {
        #expect(json(text, ["a"]).outcome == .blank)
    }

    static let wrongUTF8: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x28, 0xA1],
        [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ]

    @Test("invalid UTF-8 fails in keys, wanted values, unwanted values and nested ones", arguments: wrongUTF8)
    func invalidUTF8(bytes: [UInt8]) {
        let texts: [(String, String)] = [("{\"", "\":1}"), ("{\"a\":\"", "\"}"), ("{\"z\":\"xyz", "\"}"), ("{\"a\":[\"", "\"]}"), ("{\"a\":[{\"b", "\":0}]}")]
        for (before, after) in texts {
            let text = Array(before.utf8) + bytes + Array(after.utf8)
            let row = decode(text, columns: ["a"], with: JSONLinesDecoder(columns: ["a"]))
            #expect(row.outcome == .failed)
            #expect(row.message?.hasPrefix("invalid UTF-8 at byte \(before.utf8.count)") == true, "\(row.message ?? "none")")
        }
    }

    @Test("1,024 levels decode and one more fails, at any depth without recursion")
    func depth() {
        func nested(_ levels: Int, _ open: String, _ close: String) -> String {
            #"{"a":"# + String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels) + "}"
        }
        #expect(json(nested(1023, "[", "]")).outcome == .decoded)
        #expect(json(nested(1023, #"{"b":"#, "}")).outcome == .decoded)
        let message = "nesting deeper than 1024 levels at byte 1028"
        #expect(json(nested(1024, "[", "]")).message == message)
        #expect(json(nested(100_000, "[", "]"), ["a"]).message == message)
        #expect(json(#"{"a":"# + String(repeating: #"{"b":["#, count: 100_000)).outcome == .failed)
    }

    @Test("what follows a record in memory changes nothing")
    func followingBytes() {
        let texts = Self.good + Self.bad.map(\.0)
        for text in texts {
            let bytes = Array(text.utf8)
            let plain = decode(bytes, columns: ["a", "b"], spans: true, with: JSONLinesDecoder(columns: ["a", "b"], spans: true))
            for filler in Array("\"}]0eE:,{ \\t.-".utf8) + [0x80, 0xC3, 0x00] {
                let row = decode(bytes, columns: ["a", "b"], spans: true, filler: filler, with: JSONLinesDecoder(columns: ["a", "b"], spans: true))
                #expect(row.outcome == plain.outcome && row.cells == plain.cells && row.spans == plain.spans, "\(text) before \(filler)")
                #expect((row.message == nil) == (plain.message == nil))
            }
        }
    }

    @Test("a record truncated anywhere fails, whatever follows")
    func truncation() {
        let text = Array(#"{"a":"x\n\u00e9é","b":[1.5e3,{"c":null}],"d":-12.25,"e":true,"f":"0123456789012345678901234567890123456789"}"#.utf8)
        for count in 1..<text.count {
            for filler in Array("\"}]0 ,\\".utf8) {
                let row = decode(Array(text[..<count]), columns: ["f"], filler: filler, with: JSONLinesDecoder(columns: ["f"]))
                #expect(row.outcome == .failed, "\(count) bytes, then \(filler)")
            }
        }
    }
}
