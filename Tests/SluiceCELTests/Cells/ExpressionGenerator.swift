import SluiceCEL

/// Generates expressions whose types mostly match, and records whose fields mostly have the type
/// that their name says.
struct ExpressionGenerator {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(state: seed &* 0xD134_2543_DE82_EF95) }

    private mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
        choices[Int.random(in: choices.indices, using: &random)]
    }

    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

    mutating func condition(depth: Int) -> String {
        if chance(40) { return anything() }
        guard depth > 0 else { return pick(["b", "true", "false", "has(record.m)", "m", "c", "has(o.port)", "has(o.nope)"]) }
        let (d, comparison) = (depth - 1, pick(["==", "!=", "<", "<=", ">", ">="]))
        switch Int.random(in: 0..<14, using: &random) {
        case 0, 1: return "(\(condition(depth: d)) && \(condition(depth: d)))"
        case 2, 3: return "(\(condition(depth: d)) || \(condition(depth: d)))"
        case 4: return "!(\(condition(depth: d)))"
        case 5, 6: return "\(number(depth: d)) \(comparison) \(number(depth: d))"
        case 7: return "\(text(depth: d)) \(comparison) \(text(depth: d))"
        case 8: return "\(text(depth: d)).\(pick(["startsWith", "endsWith", "contains"]))(\(text(depth: 0)))"
        case 9: return "\(text(depth: d)).matches('\(pick(["^a", "[0-9]+$", "b|c", "é", "(?i)A", "^a.*é$"]))')"
        case 10:
            return "\(text(depth: d)) in \(pick(["['a', 'b', 'abc']", "['', 'é']", "['a', 1]", "['1','2','3','4','5','6','7','abc','é']", "[]"]))"
        case 11: return "\(number(depth: d)) in \(pick(["[1, 2, 3]", "[1, 2.0]", "[0,1,2,3,4,5,6,7,8,9,-1]"]))"
        case 12: return "\(anything()) \(pick(["==", "!="])) \(anything())"
        default: return "(\(condition(depth: d)) ? \(condition(depth: d)) : \(condition(depth: d)))"
        }
    }

    mutating func number(depth: Int) -> String {
        if chance(40) { return anything() }
        guard depth > 0 else {
            return pick(["i", "j", "d", "u", "x", "m", "0", "1", "-3", "2.5", "7u", "9223372036854775807", "1e300", "o.port", "bytes"])
        }
        let d = depth - 1
        switch Int.random(in: 0..<9, using: &random) {
        case 0...4: return "(\(number(depth: d)) \(pick(["+", "-", "*", "/", "%"])) \(number(depth: d)))"
        case 5: return "-(\(number(depth: d)))"
        case 6: return "size(\(text(depth: d)))"
        case 7: return "\(pick(["int", "double", "uint"]))(\(pick([number(depth: d), text(depth: d)])))"
        default: return "(\(condition(depth: d)) ? \(number(depth: d)) : \(number(depth: d)))"
        }
    }

    mutating func text(depth: Int) -> String {
        if chance(40) { return anything() }
        guard depth > 0 else {
            return pick(["s", "t", "n", "m", "'a'", "''", "'é'", "'abc'", "o.host", "o['host']", "record.?m.orValue('none')", "record.?s.orValue('none')"])
        }
        let d = depth - 1
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1: return "(\(text(depth: d)) + \(text(depth: d)))"
        case 2: return "('-' + \(text(depth: d)) + string(\(number(depth: d))) + \(text(depth: d)))"
        case 3: return "string(\(pick([number(depth: d), condition(depth: d), text(depth: d), "ts", "du"])))"
        case 4: return "\(text(depth: d)).substring(\(pick(["0", "1", "2", "9", number(depth: 0)])))"
        case 5: return "\(text(depth: d)).substring(\(pick(["0", "1"])), \(pick(["1", "2", "3"])))"
        case 6: return "\(text(depth: d)).\(pick(["lowerAscii", "upperAscii", "lower", "upper", "trim"]))()"
        case 7: return "\(text(depth: d)).split('\(pick(["b", "/", "é", ""]))')[\(pick(["0", "1", "-1"]))]"
        default: return "(\(condition(depth: d)) ? \(text(depth: d)) : \(text(depth: d)))"
        }
    }

    private mutating func anything() -> String {
        pick([
            "null", "l", "o", "o.tags", "ts", "du", "[i, s]", "{'k': i}", "{'k': s}.k", "l.map(e, [e, i])", "l.exists(e, e == i)", "ts + du", "ts - ts",
            "b'é'", "type(i)", "cel.bind(z, i, z + z)", "ts < timestamp('2024-01-01T00:00:00Z')", "du > duration('1s')", "record.?o.host",
            "optional.of(i)", "m", "ts.getFullYear()", "l[i]", "l[0]", "regex.replace(s, 'a', t)", "timestamp(i)",
        ])
    }

    mutating func record(_ fixture: CellFixture) -> [String: Cell] {
        let numbers: [Cell] = [
            .int(0), .int(1), .int(-7), .int(500), .int(.max), .int(.min), .double(1), .double(2.5), .double(.nan), .double(-.infinity),
        ]
        let texts = [
            "", "a", "abc", "é", " a ", "\u{A0}x ", "2024-02-29T23:59:59.25Z", "2023-02-29T00:00:00Z", "2024-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z",
            "b/c/é", "12", "-5", "Abc", "1e3", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "ABCDÉ",
        ].map { fixture.text($0) }
        let jsons = CellFixture.json.keys.sorted().map { fixture.text(.json, $0) }
        let times: [Cell] = [
            .timestamp(seconds: 1_700_000_000, nanoseconds: 1), .timestamp(seconds: 0, nanoseconds: 0),
            .timestamp(seconds: -62_135_596_800, nanoseconds: 999_999_999),
        ]
        let durations: [Cell] = [.duration(seconds: 90, nanoseconds: 5), .duration(seconds: -1, nanoseconds: -500_000_000)]
        let decimals = ["18446744073709551616", "1.00000000000000000000001"].map { fixture.text(.decimal, $0) }
        let rest: [Cell] = [.null, .bool(true), .uint(3), fixture.text(.bytes, "é"), .absent]
        let others = numbers + texts + jsons + times + durations + decimals + rest
        let usual: [(String, [Cell])] = [
            ("i", Array(numbers.prefix(6))), ("j", Array(numbers.prefix(6))), ("d", numbers), ("u", [.uint(0), .uint(7), .uint(.max)]), ("x", decimals),
            ("s", texts), ("t", texts), ("b", [.bool(true), .bool(false)]), ("c", [.bool(true), .bool(false)]), ("n", [.null]), ("o", jsons), ("l", jsons),
            ("ts", times), ("du", durations), ("bytes", [.int(12), .absent]),
        ]
        var record: [String: Cell] = [:]
        for (name, cells) in usual { record[name] = chance(12) ? pick(others) : pick(cells) }
        return record
    }
}
