import SluiceCEL
import Testing

@Suite("Text in cells")
struct TextSearchTests {
    private let fixture = CellFixture()

    @Test("is searched and compared correctly at every length and alignment", arguments: 0..<8)
    func agreesWithNaiveSearch(seed: UInt64) throws {
        var random = SplitMix(state: seed &+ 77)
        let programs = try ["s.contains(t)", "s.startsWith(t)", "s.endsWith(t)", "s == t", "s < t", "s in [t]"].map { try CellProgram($0) }
        for _ in 0..<400 {
            let text = letters(upTo: 80, &random)
            let part = Bool.random(using: &random) ? letters(upTo: 4, &random) : slice(of: text, &random)
            let record = ["s": cell(text), "t": cell(part)]
            let places = (0...max(0, text.count - part.count)).filter { text.dropFirst($0).starts(with: part) }
            let expected = [
                !places.isEmpty, text.starts(with: part), text.reversed().starts(with: part.reversed()), text == part,
                text.lexicographicallyPrecedes(part), text == part,
            ]
            #expect(programs.map { fixture.test($0, record) } == expected, "\(text) \(part)")
            let index = fixture.evaluate(try CellProgram("s.indexOf(t)"), record)
            #expect(areSame(index, .success(.int(places.first.map(Int64.init) ?? -1))))
            fixture.scratch.reset()
        }
    }

    @Test("is looked up in large constant lists")
    func largeLists() throws {
        let names = (0..<500).map { "name\($0 * 7)" }
        let program = try CellProgram("s in ['\(names.joined(separator: "', '"))', '']")
        for name in names { #expect(fixture.test(program, ["s": fixture.text(name)]) == true) }
        for other in ["name1", "name", "Name7", "name35000", "x"] { #expect(fixture.test(program, ["s": fixture.text(other)]) == false) }
        #expect(fixture.test(program, ["s": fixture.text("")]) == true)
        #expect(fixture.test(program, ["s": .int(7)]) == false)
    }

    @Test("is searched in linear time even if every position looks promising")
    func hostileSearch() throws {
        let program = try CellProgram("s.contains(t)")
        let text = String(repeating: "a", count: 4_000_000)
        let part = String(repeating: "a", count: 60_000) + "b" + String(repeating: "a", count: 60_000)
        // Quadratic time would take minutes.
        #expect(fixture.test(program, ["s": fixture.text(text), "t": fixture.text(part)]) == false)
    }

    private func cell(_ letters: [UInt8]) -> Cell { fixture.text(String(decoding: letters, as: UTF8.self)) }

    private func letters(upTo limit: Int, _ random: inout SplitMix) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &random)).map { _ in UInt8.random(in: 0x61...0x63, using: &random) }
    }

    private func slice(of text: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        let start = Int.random(in: 0...text.count, using: &random)
        return Array(text[start..<Int.random(in: start...text.count, using: &random)])
    }
}
