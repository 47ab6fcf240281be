import SluiceCEL
import Testing

/// Each entry: an expression, then every problem with the text that it points at.
@Suite("Problems reported before anything is read")
struct DiagnosticTests {
    @Test(
        "syntax errors point at their location, and all are reported together",
        arguments: [
            ("1 +", [" – expected an expression, found the end of the expression"]),
            ("(1", [" – expected ')', found the end of the expression"]),
            ("[1, 2", [" – expected ']', found the end of the expression"]),
            ("status = 500", ["= – unexpected character '=' (did you mean '=='?)"]),
            ("a & b", ["& – unexpected character '&' (did you mean '&&'?)"]),
            ("'abc", ["'abc – the string has no closing quote"]),
            ("'a\\qb'", ["\\q – '\\q' is not an escape sequence"]),
            ("b'\\u0041'", ["\\u – '\\u' is not an escape sequence of bytes"]),
            ("'\\ud83d'", ["\\ud83d – the escape sequence is not a Unicode code point"]),
            ("'\\x4'", ["\\x4 – the escape sequence needs 2 hexadecimal digits"]),
            ("9223372036854775808", ["9223372036854775808 – the number does not fit in an int"]),
            ("99999999999999999999", ["99999999999999999999 – the number does not fit in 64 bits"]),
            ("for + 1", ["for – 'for' is a reserved word; write a field of that name as `for`"]),
            ("[1, , 2].map(, x)", [", – expected an expression, found ','", ", – expected an expression, found ','"]),
            ("size(1 2) + [3 4]", ["2 – expected ')', found '2'", "4 – expected ']', found '4'"]),
            ("{'a' 1}", ["1 – expected ':', found '1'"]),
            ("a ? b", [" – expected ':', found the end of the expression"]),
            ("1 2", ["2 – expected an operator, found '2'"]),
            ("has(a)", ["a – has() expects a field, such as has(record.name)"]),
            ("[1].map(x + 1, x)", ["x + 1 – 'map' expects a variable name here"]),
            ("a.", [" – expected a name, found the end of the expression"]),
            ("``", ["`` – a name in backticks cannot be empty"]),
        ])
    func syntax(text: String, expected: [String]) {
        #expect(problems(text) == expected)
    }

    @Test(
        "type errors point at the part that is wrong",
        arguments: [
            ("'a' + 1", ["+ – '+' cannot be applied to string and int"]),
            (
                "1 + 'a' == 2 && size(5) > 0",
                [
                    "+ – '+' cannot be applied to int and string",
                    "size – no function size(int); expected size(string) or size(bytes) or size(list) or size(map)",
                ]
            ),
            ("'a' && true", ["'a' – expected a bool, found string"]),
            ("1 ? 2 : 3", ["1 – expected a bool, found int"]),
            ("true ? 1 : 'a'", ["'a' – both results of '? :' must have the same type, found int and string"]),
            ("'abc'.lenght()", ["lenght – unknown function 'lenght'"]),
            ("'abc'.startWith('a')", ["startWith – unknown function 'startWith' (did you mean 'startsWith'?)"]),
            ("maths.abs(1)", ["maths.abs – unknown function 'maths.abs' (did you mean 'math.abs'?)"]),
            ("'abc'.contains(1)", ["contains – no function string.contains(int); expected string.contains(string)"]),
            ("[1, 2].name", ["name – a value of type list(int) has no field 'name'"]),
            ("[1, 2]['a']", ["'a' – a list index must be an int, found string"]),
            ("{'a': 1}[1]", ["1 – the map's keys are of type string, found int"]),
            ("{1.5: 1}", ["1.5 – a map key must be a bool, int, uint or string, found double"]),
            ("5.map(x, x)", ["5 – expected a list or a map, found int"]),
            ("[1].all(x, x + 1)", ["x + 1 – expected a bool, found int"]),
            ("path.matches('(')", ["'(' – invalid regular expression '(': missing ): ("]),
            ("timestamp('yesterday')", ["timestamp('yesterday') – \"yesterday\" cannot be converted to timestamp"]),
            ("duration('5 minutes')", ["duration('5 minutes') – '5 minutes' is not a duration"]),
            ("google.rpc.Status{code: 1}", ["google.rpc.Status{code: 1} – 'google.rpc.Status{…}': protocol-buffer messages are not supported"]),
            ("[?1]", ["1 – '?' expects an optional value, found int"]),
            ("a.map(x)", ["map – 'map' does not take 1 argument"]),
        ])
    func types(text: String, expected: [String]) {
        #expect(problems(text) == expected)
    }

    @Test(
        "fields of a known format are checked by name and type",
        arguments: [
            ("statsu >= 500", ["statsu – no such field 'statsu' (did you mean 'status'?)"]),
            ("record.statsu >= 500", ["statsu – no such field 'statsu' (did you mean 'status'?)"]),
            (
                "has(record.pth) && record.?agnt.orValue('') == ''",
                ["pth – no such field 'pth' (did you mean 'path'?)", "agnt – no such field 'agnt'"]
            ),
            ("status == 'x'", ["== – '==' cannot be applied to int and string"]),
            ("path > 5", ["> – '>' cannot be applied to string and int"]),
            ("status.size()", ["size – no function int.size(); expected size(string) or size(bytes) or size(list) or size(map)"]),
            ("path.startsWith('/') && status / 100 == 5 && record['path'] == bytes", []),
            ("params.limt > 1", ["limt – no such key 'limt' (did you mean 'limit'?)"]),
            ("parms.limit > 1", ["parms – no such field 'parms' (did you mean 'params'?)"]),
            ("[1].exists(value, valeu > 1)", ["valeu – no such field 'valeu' (did you mean 'value'?)"]),
        ])
    func knownFields(text: String, expected: [String]) {
        let fields: [Name: CELType] = ["status": .int, "path": .string, "bytes": .dyn]
        let environment = Environment(fields: .known(fields), constants: ["params": .map(["limit": .int(5)])])
        #expect(problems(text, in: environment) == expected)
    }
}
