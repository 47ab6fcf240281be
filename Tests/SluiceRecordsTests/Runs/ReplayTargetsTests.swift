import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("What a replay can do with dead letters of a stage")
struct ReplayTargetsTests {
    private static let sink = SinkSettings(FileSink(PathTemplate("out/o.jsonl")))

    private func targets(_ flow: RecordFlow) -> ReplayTargets {
        ReplayTargets(
            RecordPipeline(
                name: "x", definition: "sha256:0", source: SourceSettings(MemorySource([:]), format: JSONL()), flow, deadLetters: "dead.jsonl"))
    }

    private func stage(_ verb: any Verb) -> RecordStage { RecordStage(name: verb.name, verb: verb) }

    private static let counting = Head(5)

    @Test("a stage before the refusing one that depends on others is passed, one at or after it is not")
    func others() {
        let keep = RecordStage(name: "first", verb: Remove(["a"]))
        let head = stage(Self.counting)
        let last = RecordStage(name: "last", verb: Remove(["b"]))
        let targets = targets(RecordFlow([keep, head, last], into: Self.sink))
        let reason = "'head' depends on the other records, which are not read again"
        for name in ["source", "first", "head"] { #expect(targets.fate(ofStage: name, code: "x") == .kept(reason: reason)) }
        #expect(targets.fate(ofStage: "last", code: "x") == .replayed(place: 3, path: ""))
        #expect(targets.fate(ofStage: "sink", code: "x") == .replayed(place: 4, path: ""))
        #expect(targets.fate(ofStage: "gone", code: "x") == .kept(reason: "the pipeline has no stage 'gone'"))
    }

    @Test("copies of a record have paths of their own, routes of one record have not")
    func paths() {
        let inner = RecordFlow([], into: .routes(Routes(copyingTo: [Self.sink, Self.sink])))
        let all = Routes([Route(name: "a", flow: RecordFlow([stage(Remove(["a"]))], into: Self.sink)), Route(name: "b", flow: inner)], match: .all)
        let copies = targets(RecordFlow([stage(Remove(["a"]))], into: .routes(all)))
        let paths = ["source", "remove", "routes", "a/remove", "a/sink", "b/copies", "b/sink", "b/sink/2"].map { copies.path(ofStage: $0) }
        #expect(paths == ["", "", "", "a", "a", "b", "b\nb/copies/1", "b\nb/copies/2"])
        let first = targets(RecordFlow([], into: .routes(Routes(all.all, match: .first))))
        #expect(["a/remove", "b/copies", "b/sink/2"].map { first.path(ofStage: $0) } == ["", "", "b/copies/2"])
    }

    @Test("a route with a stage that depends on others cannot be entered anew")
    func routes() throws {
        let all = Routes([
            Route(name: "a", flow: RecordFlow([stage(Remove(["a"]))], into: Self.sink)),
            Route(name: "b", flow: RecordFlow([stage(Self.counting)], into: Self.sink)),
        ])
        let targets = targets(RecordFlow([], into: .routes(all)))
        #expect(targets.fate(ofStage: "a/remove", code: "x") == .replayed(place: 2, path: ""))
        #expect(targets.fate(ofStage: "routes", code: "x") == .kept(reason: "'b/head' depends on the other records, which are not read again"))
        try targets.checkRoute(2...3)
        #expect(throws: RecordFailure.self) { try targets.checkRoute(4...5) }
    }
}

@Suite("Names of a replay's outputs")
struct ReplayNamesTests {
    static let paths = [
        ("out/a.jsonl.gz", "out/a.replay-1.jsonl.gz"), ("a", "a.replay-1"), ("a.b/c", "a.b/c.replay-1"), ("x/.hidden", "x/.hidden.replay-1"),
        ("a.b.c.log", "a.b.c.replay-1.log"), ("out/a.replay-1.csv.zst", "out/a.replay-1.replay-1.csv.zst"),
    ]

    @Test("have the number before their extensions", arguments: paths)
    func plain(path: String, expected: String) {
        #expect(FileName.adding("replay-1", to: path) == expected)
        #expect(PathTemplate(path).adding(suffix: "replay-1").constant == expected)
    }

    @Test("also if a part of the name is a value")
    func values() throws {
        func name(_ end: String?) throws -> [String] {
            var checking = Checking(label: "test")
            let template = try #require(PathTemplate(Leaf("out/{n}\(end ?? "")"), &checking))
            return template.adding(suffix: "r").pieces.map { if case .text(let text) = $0 { text } else { "{}" } }
        }
        #expect(try name(".jsonl.gz") == ["out/", "{}", ".r.jsonl.gz"])
        #expect(try name("-all.log") == ["out/", "{}", "-all.r.log"])
        #expect(try name("/part.csv") == ["out/", "{}", "/part.r.csv"])
        #expect(try name(nil) == ["out/", "{}", ".r"])
    }
}

@Suite("The dead letters that replays have dealt with")
struct SettledLettersTests {
    @Test("a hash is read as it is written, and nothing else is a hash")
    func hashes() {
        var state: UInt64 = 7
        for _ in 0..<200 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let hash = Hash128(high: state >> (state % 60), low: state)
            let text = Array(hash.hexadecimal.utf8)
            #expect(text.count == 32)
            #expect(text.withUnsafeBufferPointer { Hash128(hexadecimal: $0) } == hash)
            for wrong in [Array(text.dropLast()), text + [0x30], [0x2B] + text.dropFirst(), [0x67] + text.dropFirst()] {
                #expect(wrong.withUnsafeBufferPointer { Hash128(hexadecimal: $0) } == nil)
            }
        }
    }

    @Test("are those of all replays in the folder, unless they are to be repeated; a damaged list is refused")
    func lists() throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let hashes = (1...4).map { Hash128(high: $0, low: ~$0) }
        try folder.write((hashes[0].hexadecimal + "\n").utf8, to: "resolved-1")
        try folder.write((hashes[1].hexadecimal + "\n" + hashes[2].hexadecimal + "\n").utf8, to: "resolved-12")
        try folder.write("x".utf8, to: "resolved-x")
        #expect(try SettledLetters.replays(in: folder.path) == [1, 12])
        #expect(try SettledLetters.replays(in: folder.path + "/none") == [])
        let settled = try SettledLetters(in: folder.path, repeats: false, .standard)
        #expect(try hashes.map { try settled.insert($0) } == [false, false, false, true])
        #expect(try settled.insert(hashes[3]) == false)
        let fresh = try SettledLetters(in: folder.path, repeats: true, .standard)
        #expect(try hashes.map { try fresh.insert($0) } == [true, true, true, true])
        try folder.write("no hash\n".utf8, to: "resolved-2")
        #expect(throws: RunError.self) { try SettledLetters(in: folder.path, repeats: false, .standard) }
    }
}
