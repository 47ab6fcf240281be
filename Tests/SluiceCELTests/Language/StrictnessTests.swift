import SluiceCEL
import Testing

@Suite("The strict rules of CEL and Sluice's own")
struct StrictnessTests {
    @Test("int and double mix in Sluice but not in CEL", arguments: ["1 + 1.0", "2.0 * 3", "1u - 0.5", "1 < 2.0", "1 == 1.0", "1u >= 1"])
    func mixedNumbers(text: String) {
        #expect(!evaluated(text).hasPrefix("does not compile"))
        #expect(evaluated(text, in: .strict()).hasPrefix("does not compile"))
    }

    @Test("types only known at run time follow the same rule")
    func mixedNumbersAtRunTime() {
        #expect(evaluated("dyn(1) + dyn(0.5)") == "1.5")
        #expect(evaluated("dyn(1) + dyn(0.5)", in: .strict()) == "type: '+' cannot be applied to int and double")
        #expect(evaluated("dyn(1) + dyn(1u)") == "type: '+' cannot be applied to int and uint")
    }

    @Test("text is compared by code point and counted by code point")
    func text() {
        #expect(evaluated("'e\\u0301' == '\\u00e9'") == "false")
        #expect(evaluated("size('e\\u0301')") == "2")
        #expect(evaluated("size('👨‍👩‍👧')") == "5")
        #expect(evaluated("'a\\r\\nb'.size()") == "4")
        #expect(evaluated("'\\r\\n'.contains('\\n') && '\\r\\n'.startsWith('\\r')") == "true")
        #expect(evaluated("'e\\u0301'.contains('e') && 'e\\u0301'.charAt(0) == 'e'") == "true")
        #expect(evaluated("{'e\\u0301': 1, '\\u00e9': 2}.size()") == "2")
    }

    @Test("NaN equals nothing, but is a single key and value to Swift")
    func notANumber() {
        #expect(evaluated("double('NaN') == double('NaN') || double('NaN') in [double('NaN')]") == "false")
        #expect(Value.list([.double(.nan)]) == Value.list([.double(-.nan)]))
        #expect(Set([Value.double(.nan), .double(.nan), .int(1), .uint(1), .double(1)]).count == 2)
    }

    @Test("a bound variable that is never named is never computed")
    func lazyBinding() {
        #expect(evaluated("cel.bind(x, 1 / 0, true)") == "true")
        #expect(evaluated("cel.bind(x, 1 / 0, x > 1 || true)") == "true")
        #expect(evaluated("[1, 2].map(a, cel.bind(b, a * 2, b + b))") == "[4, 8]")
        #expect(evaluated("cel.bind(x, [1, 2].map(y, y * 2), [3].map(y, x + [y]))") == "[[2, 4, 3]]")
    }

    @Test("numbers are written in their shortest form, without needless zeros")
    func numberText() {
        let numbers = "[string(1.0), string(0.1), string(1e20), string(1e21), string(1e-7), string(123456789.0), string(-0.0), string(1.5e300)]"
        #expect(evaluated(numbers) == "[\"1\", \"0.1\", \"100000000000000000000\", \"1e+21\", \"1e-07\", \"123456789\", \"-0\", \"1.5e+300\"]")
    }

    @Test("unknown functions and names fail at run time if types are not checked")
    func unchecked() {
        var environment = Environment.strict()
        environment.checksTypes = false
        #expect(evaluated("nothing() || true", in: environment) == "true")
        #expect(evaluated("nobody", in: environment) == "no_such_field: unknown variable 'nobody'")
        #expect(evaluated("'a' + 1 == 2 ? 1 : 2", in: environment) == "type: '+' cannot be applied to string and int")
    }
}
