import Foundation
import Sluice
import SluiceCEL
import Synchronization
import Testing

@testable import SluiceRecords

@Suite("redact")
struct RedactTests {
    private func verb(_ keys: [String: String], fields: [String]? = nil) throws -> Redact {
        var checking = Checking(label: "redact")
        var arguments = keys.mapValues { Argument.leaf(Leaf($0)) }
        arguments["fields"] = fields.map { .list($0.map { .leaf(Leaf($0)) }, TextPlace(TextPosition(line: 1, column: 1))) }
        return try #require(Redact(.keys(Arguments(arguments)), options: Arguments(), &checking))
    }

    /// RFC 4231, cases 1, 2, 3 and 6.
    @Test("hashes are HMAC-SHA-256")
    func hashes() {
        let cases: [(key: [UInt8], text: String, hash: String)] = [
            (Array(repeating: 0x0B, count: 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (Array("Jefe".utf8), "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                Array(repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
        for (key, text, hash) in cases {
            let hasher = HMACHasher(HMACKey(key))
            for _ in 0..<2 {
                let buffer = ByteBuffer(capacity: 64)
                var text = text
                text.withUTF8 { hasher.appendHex(of: $0, to: buffer) }
                #expect(buffer.withFilled { String(decoding: $0, as: UTF8.self) } == hash)
            }
        }
    }

    @Test("no matching text is left in outputs and dead letters, however it is written", arguments: [1, 8])
    func patterns(workers: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        var random = Seeded(6)
        let parts = ["secret7", "\\u0073ecret1", "a", "\\\"", " ", "é", "\\n", ":", "{", "x"]
        let lines = (0..<8000).map { number -> String in
            func text() -> String { "\"" + (0..<random.next() % 5).map { _ in parts[Int(random.next() % 10)] }.joined() + "\"" }
            let list = "[\(text()),{\"k\":\(text()),\"m\":[\(text())]}]"
            return "{\"n\":\(number % 3), \"t\":\(text()),\"l\": \(list) ,\"same\":1.50}"
        }
        let input = try folder.write((lines.joined(separator: "\n") + "\n").utf8, to: "a.jsonl")
        let stages = [
            RecordStage(name: "hide", verb: try verb(["pattern": #"secret\d"#, "with": "mask"])),
            RecordStage(name: "fail", verb: SetFields([("x", try CellProgram("10 / n"))])),
        ]
        let run = try await folder.run(folder.pipeline([input], stages), workers: workers)
        #expect(run.report.balanced && run.report.records.dead == lines.count { $0.hasPrefix("{\"n\":0") })
        for text in [run.outcome.out, run.outcome.dead] {
            #expect(!text.contains("secret") && !text.contains("\\u0073") && text.contains("***") && text.contains("\"same\":1.50"))
        }
        #expect(run.outcome.dead.split(separator: "\n").allSatisfy { $0.contains(",\"raw\":null,\"record\":{") })
        // Text that did not match is unchanged.
        let kept = zip(lines.filter { !$0.hasPrefix("{\"n\":0") }, run.outcome.out.split(separator: "\n"))
        for (line, out) in kept where !line.contains("secret") && !line.contains("ecret1") { #expect(out.hasPrefix(line.dropLast())) }
    }

    @Test("in a route, it does not affect the others")
    func routes() async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let input = try folder.write((0..<10).map { #"{"n":\#($0 % 2),"user":"ann"}"# + "\n" }.joined().utf8, to: "a.jsonl")
        let fail = RecordStage(name: "fail", verb: SetFields([("x", try CellProgram("1 / 0"))]))
        let sink = { (name: String) in SinkSettings(FileSink(PathTemplate(pieces: [.text("\(folder.path)/\(name).jsonl")]))) }
        let hidden = RecordFlow([RecordStage(name: "hide", verb: try verb(["with": "mask"], fields: ["user"])), fail], into: sink("out"))
        let open = RecordFlow([fail], into: sink("open"))
        let routes = Routes([
            Route(name: "hidden", condition: try CellProgram("n == 0"), flow: hidden), Route(name: "open", condition: nil, flow: open),
        ])
        var pipeline = folder.pipeline([input], [])
        pipeline.flow = RecordFlow([], into: .routes(routes))
        let dead = try await folder.run(pipeline, workers: 2).outcome.dead.split(separator: "\n")
        #expect(dead.count == 10)
        for line in dead { #expect(line.contains("ann") == line.contains("\"stage\":\"open/fail\"")) }
    }
}

@Suite("throttle")
struct ThrottleTests {
    @Test("records pass at their rate, and time without any gives no credit")
    func pace() {
        var pace = Pace(records: 10, per: .seconds(1))
        #expect(pace.delay(of: 5, at: .seconds(100)) == .zero)
        #expect(pace.delay(of: 10, at: .seconds(100)) == .milliseconds(500))
        #expect(pace.delay(of: 1, at: .seconds(101)) == .milliseconds(500))
        #expect(pace.delay(of: 1, at: .seconds(200)) == .zero)
        #expect(pace.delay(of: 0, at: .seconds(200)) == .milliseconds(100))
    }

    /// A clock that only advances by sleeping.
    private final class Clock: Sendable {
        let now = Locked(Duration.zero)
        let onSleep: @Sendable () -> Void

        init(onSleep: @escaping @Sendable () -> Void = {}) {
            self.onSleep = onSleep
        }

        func sleep(_ duration: Duration) async throws {
            onSleep()
            try Task.checkCancellation()
            now.withLock { $0 += duration }
        }
    }

    @Test("waits for the whole time, in pieces; a drain or a cancelled task ends it")
    func waits() async throws {
        let clock = Clock()
        let step = ThrottleStep(Pace(records: 1, per: .seconds(1)), now: { clock.now.withLock { $0 } }, sleep: clock.sleep)
        try await step.wait(for: 1000)
        #expect(clock.now.withLock { $0 } == .zero)
        try await step.wait(for: 1)
        #expect(clock.now.withLock { $0 } == .seconds(1000))
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await step.wait(for: 1)
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }

        let drained = Locked<ThrottleStep?>(nil)
        let other = Clock { drained.withLock { $0?.drain() } }
        let second = ThrottleStep(Pace(records: 1, per: .seconds(1)), now: { other.now.withLock { $0 } }, sleep: other.sleep)
        drained.withLock { $0 = second }
        try await second.wait(for: 1_000_000)
        try await second.wait(for: 1)
        #expect(other.now.withLock { $0 } == .milliseconds(100))
    }
}
