import SluiceCEL
import Testing

@Suite("The libraries")
struct LibraryTests {
    @Test(
        "lists and sets",
        arguments: [
            ("[1, 2, 2, 3, 1u, 1.0].distinct()", "[1, 2, 3]"),
            ("[[1], [1.0], {'a': 1}, {'a': 1u}, null, null].distinct()", "[[1], {\"a\": 1}, null]"),
            ("[1, [2, [3, [4]]]].flatten()", "[1, 2, [3, [4]]]"),
            ("[1, [2, [3, [4]]]].flatten(2)", "[1, 2, 3, [4]]"),
            ("[1, [2]].flatten(0)", "[1, [2]]"),
            ("[1].flatten(-1)", "invalid_argument: level must be non-negative"),
            ("lists.range(3)", "[0, 1, 2]"),
            ("lists.range(0) == [] && lists.range(-1) == []", "true"),
            ("[5, 3, 1].reverse()", "[1, 3, 5]"),
            ("[1, 2, 3, 4].slice(1, 3)", "[2, 3]"),
            ("[1, 2].slice(2, 2)", "[]"),
            ("[1, 2].slice(2, 1)", "invalid_argument: cannot slice(2, 1), start index must be less than or equal to end index"),
            ("[1, 2].slice(0, 3)", "invalid_argument: cannot slice(0, 3), list is length 2"),
            ("['b', 'c', 'a'].sort()", "[\"a\", \"b\", \"c\"]"),
            ("[3.5, -1.0].sort()", "[-1.0, 3.5]"),
            ("[1, 'b'].sort()", "type: list elements must have the same comparable type, found int and string"),
            ("[[1]].sort()", "type: list elements must have the same comparable type, found list(dyn) and list(dyn)"),
            ("[{'n': 'x', 's': 2}, {'n': 'y', 's': 1}, {'n': 'z', 's': 2}].sortBy(e, e.s).map(e, e.n)", "[\"y\", \"x\", \"z\"]"),
            ("[1, 2].first().value() + [1, 2].last().value()", "3"),
            ("[].first().orValue('none')", "\"none\""),
            ("sets.contains([1, 2.0, 3u], [1.0, 2u, 3]) && !sets.contains([], [1])", "true"),
            ("sets.equivalent([1], [1, 1]) && !sets.equivalent([1, 2], [1])", "true"),
            ("sets.intersects([1], [1, 2]) && !sets.intersects([1], [])", "true"),
            ("sets.intersects([[1], [2, 3]], [[1, 2], [2, 3.0]])", "true"),
        ])
    func lists(text: String, value: String) {
        #expect(evaluated(text) == value)
    }

    @Test(
        "regular expressions",
        arguments: [
            ("regex.replace('foo bar', '(fo)o (ba)r', r'\\2 \\1')", "\"ba fo\""),
            ("regex.replace('banana', 'a', 'x', 2)", "\"bxnxna\""),
            ("regex.replace('banana', 'a', 'x', 0) + regex.replace('banana', 'a', 'x', -12)", "\"bananabxnxnx\""),
            ("regex.replace('ab', '', '-')", "\"-a-b-\""),
            ("regex.replace('x', '(', 'y')", "does not compile: invalid regular expression '(': missing ): ("),
            (
                "regex.replace('x', 'x', r'\\3')",
                "invalid_argument: invalid regular expression 'x': the replacement '\\3' refers to group 3, but the pattern has 0"
            ),
            ("regex.extract('hello world', 'hello(.*)')", "optional.of(\" world\")"),
            ("regex.extract('HELLO', 'hello')", "optional.none()"),
            ("regex.extract('a@b', '(.*)@(.*)')", "invalid_argument: the pattern '(.*)@(.*)' has more than one capturing group"),
            ("regex.extractAll('id:123, id:456', r'id:\\d+')", "[\"id:123\", \"id:456\"]"),
            ("regex.extractAll('id:123, id:456', r'id:(\\d+)')", "[\"123\", \"456\"]"),
            ("regex.extractAll('id:123', 'assa')", "[]"),
            ("'10.0.0.1 GET'.extract(r'(?P<ip>[\\d.]+) (?P<verb>\\w+)(?P<rest> .*)?')", "{\"ip\": \"10.0.0.1\", \"verb\": \"GET\"}"),
            ("'x'.extract('(?<n>y)')", "{}"),
            ("'abc'.matches('^b') || matches('abc', 'b+c$')", "true"),
            ("'a'.matches('a' + string('('))", "does not compile: invalid regular expression 'a(': missing ): a("),
        ])
    func patterns(text: String, value: String) {
        #expect(evaluated(text) == value)
    }

    @Test(
        "optional values",
        arguments: [
            ("optional.unwrap([optional.of(42), optional.none()])", "[42]"),
            ("[optional.of(1), optional.none()].unwrapOpt()", "[1]"),
            ("optional.none().value()", "invalid_argument: optional.none() dereference"),
            ("optional.of(1).or(optional.of(1 / 0)).value()", "1"),
            ("optional.of(1).orValue(1 / 0)", "1"),
            ("optional.ofNonZeroValue([])", "optional.none()"),
            ("{'a': {'b': 1}}.?a.?b", "optional.of(1)"),
            ("{'a': 1}[?'b'].optMap(x, x + 1).orValue(0)", "0"),
            ("[1, 2][?1].optFlatMap(x, [5, 6, 7][?x])", "optional.of(7)"),
            ("{?'a': optional.none(), 'b': 1}", "{\"b\": 1}"),
            ("[1, ?optional.none(), ?optional.of(2)]", "[1, 2]"),
            ("type(optional.none()) == optional_type", "true"),
        ])
    func optionals(text: String, value: String) {
        #expect(evaluated(text) == value)
    }

    @Test(
        "network addresses",
        arguments: [
            ("ip('10.0.0.1') in [ip('10.0.0.1')] && cidr('10.0.0.0/8').containsIP('10.255.0.1')", "true"),
            ("isIP('1.2.3') || isIP('1.2.3.04') || isIP('256.1.1.1') || isIP('fe80::1%eth0') || isIP(':::')", "false"),
            ("isIP('::') && isIP('1::') && isIP('::1.2.3.4') && isIP('1:2:3:4:5:6:7:8')", "true"),
            ("isCIDR('10.0.0.1/8') && !isCIDR('10.0.0.1/33') && !isCIDR('10.0.0.1/08') && isCIDR('::/128')", "true"),
            ("string(ip('2001:0DB8:0:0:1:0:0:1'))", "\"2001:db8::1:0:0:1\""),
            ("ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:db8:0:0:0:0:0:1')", "true"),
            ("cidr('192.168.1.5/24').masked()", "cidr(\"192.168.1.0/24\")"),
            ("cidr('192.168.1.5/24').isMask() || !cidr('192.168.1.0/24').isMask()", "false"),
            ("ip('10.0.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()", "true"),
            ("ip('224.0.0.251').isLinkLocalMulticast() && ip('fe80::1').isLinkLocalUnicast() && ip('::').isUnspecified()", "true"),
            ("ip('::ffff:a00:1').family()", "4"),
            ("cidr('0.0.0.0/0').containsCIDR('10.0.0.0/8') && cidr('::/0').containsIP('2001:db8::1')", "true"),
        ])
    func network(text: String, value: String) {
        #expect(evaluated(text) == value)
    }

    @Test(
        "what Sluice adds",
        arguments: [
            ("'Straße ÄÖ'.upper() + 'ÄÖ'.lower()", "\"STRASSE ÄÖäö\""),
            ("'abc'.sha256()", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""),
            ("b''.sha256()", "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""),
            ("error('bad ' + string(1))", "user: bad 1"),
            ("1 > 2 ? error('x') : 5", "5"),
            ("parse_time('10/Oct/2025:13:55:36 -0700', '%d/%b/%Y:%H:%M:%S %z')", "timestamp(\"2025-10-10T20:55:36Z\")"),
            ("'2025-10-10 01:05 PM'.parse_time('%F %I:%M %p')", "timestamp(\"2025-10-10T13:05:00Z\")"),
            ("parse_time('1700000000123', 'unix_ms')", "timestamp(\"2023-11-14T22:13:20.123Z\")"),
            ("parse_time('2025-10-10T13:55:36.25+02:00', 'rfc3339')", "timestamp(\"2025-10-10T11:55:36.25Z\")"),
            ("parse_time('365 2024', '%j %Y')", "timestamp(\"2024-12-30T00:00:00Z\")"),
            ("parse_time('nonsense', '%F')", "does not compile: \"nonsense\" does not match the time format"),
            ("parse_time('31/02/2025', '%d/%m/%Y')", "does not compile: \"31/02/2025\" does not match the time format"),
            ("timestamp(0).format_time('%a, %d %b %Y %T GMT')", "\"Thu, 01 Jan 1970 00:00:00 GMT\""),
            ("format_time(timestamp('2025-07-01T12:00:00Z'), '%F %R %z', 'Europe/Berlin')", "\"2025-07-01 14:00 +0200\""),
            ("format_time(timestamp('2025-07-01T12:00:00.5Z'), 'rfc3339', '-03:30')", "\"2025-07-01T08:30:00.5-03:30\""),
            ("format_time(timestamp('2025-07-01T12:00:00.123456789Z'), '%s %L %f %I%p %j %e %y %%')", "\"1751371200 123 123456 12PM 182  1 25 %\""),
            ("format_time(timestamp(0), '%Q')", "invalid_argument: the time format '%Q' has an unknown directive '%Q'"),
            ("format_time(timestamp(1), 'unix_ns')", "\"1000000000\""),
            (
                "parse_url('HTTPS://me:pw@Example.org:8443/a/b?x=1&y=%20#top')",
                "{\"scheme\": \"https\", \"user\": \"me:pw\", \"port\": 8443, \"host\": \"example.org\", \"path\": \"/a/b\", \"query\": \"x=1&y=%20\", \"fragment\": \"top\"}"
            ),
            ("parse_url('/just/a/path?q')", "{\"path\": \"/just/a/path\", \"query\": \"q\"}"),
            ("parse_url('http://[::1]:80/').host", "\"[::1]\""),
            ("parse_query('?a=1&b=x%20y+z&a=2&c')", "{\"a\": [\"1\", \"2\"], \"b\": \"x y z\", \"c\": \"\"}"),
            ("parse_query('/a/b?a=1&b=/c?d#e=2')", "{\"a\": \"1\", \"b\": \"/c?d\"}"),
            ("parse_query('https://example.com/a?b=1')", "{\"b\": \"1\"}"),
            ("parse_query('/a=1')", "{}"),
            ("parse_query('next=http://example.com/?a=1')", "{\"next\": \"http://example.com/?a=1\"}"),
            ("parse_query('')", "{}"),
        ])
    func additions(text: String, value: String) {
        #expect(evaluated(text) == value)
    }
}
