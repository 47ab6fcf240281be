import Testing

@testable import SluiceRecords

@Suite("ChildProtocol")
struct ChildProtocolTests {
    private static let start = ContinuousClock.now
    private static let bounds: ChildProtocol.Bounds = {
        var bounds = ChildProtocol.Bounds(timeout: .seconds(5))
        bounds.longestAnswer = 100
        return bounds
    }()

    private static func after(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static let line = bytes("{\"n\":1}\n")

    /// A child that has read its first question.
    private static func asked() -> ChildProtocol {
        var child = ChildProtocol(asking: line, bounds: bounds)
        _ = child.started(now: start)
        child.wrote(line.count)
        return child
    }

    /// A child that has given its first answer.
    private static func idle() -> ChildProtocol {
        var child = asked()
        _ = child.received(bytes("{}\n")[...], now: after(1))
        _ = child.tooLate(now: after(21))
        return child
    }

    private static func askedAgain() -> ChildProtocol {
        var child = idle()
        child.ask(line, now: after(100))
        child.wrote(line.count)
        return child
    }

    private static func breach(_ message: String) -> ChildProtocol.Step { .fail(ChildFailure(code: .breach, message: message)) }

    @Test("the first answer is held back until the child has been quiet")
    func settles() {
        var child = Self.asked()
        #expect(child.received(Self.bytes("{\"a\":")[...], now: Self.after(1)) == [])
        #expect(child.received(Self.bytes("1}\n")[...], now: Self.after(2)) == [])
        #expect(child.state == .settling)
        #expect(child.deadline == Self.after(22))
        #expect(child.tooLate(now: Self.after(22)) == [.answer(Self.bytes("{\"a\":1}")), .free])
        #expect(child.state == .idle)
        #expect(child.deadline == nil)
    }

    @Test("later answers are passed on at once")
    func laterAnswers() {
        var child = Self.askedAgain()
        #expect(child.deadline == Self.after(5100))
        #expect(child.received(Self.bytes("{\"b\":2}\n")[...], now: Self.after(200)) == [.answer(Self.bytes("{\"b\":2}")), .free])
        #expect(child.answers == 2)
    }

    @Test("a surplus line fails the record while its answer is still held")
    func surplusWhileSettling() {
        var child = Self.asked()
        _ = child.received(Self.bytes("{}\n")[...], now: Self.after(1))
        #expect(
            child.received(Self.bytes("{}\n")[...], now: Self.after(2))
                == [Self.breach("answered more than once: '{} '"), .closeInput, .terminate])
        #expect(child.state == .ending)
        #expect(child.received(Self.bytes("{}\n")[...], now: Self.after(3)) == [])
    }

    @Test("a surplus line after the answer was passed on kills the child and fails no record")
    func surplusWhileIdle() {
        var child = Self.idle()
        let steps = child.received(Self.bytes("{}\n")[...], now: Self.after(30))
        #expect(steps == [.complain("wrote '{} ' without being asked"), .closeInput, .terminate])
        #expect(child.reaped(wasSuccess: false, words: "killed") == [])
    }

    @Test("an answer before the record was read is a breach")
    func tooEarly() {
        var child = Self.idle()
        child.ask(Self.line, now: Self.after(100))
        child.wrote(3)
        let steps = child.received(Self.bytes("{}\n")[...], now: Self.after(101))
        #expect(steps.first == Self.breach("answered before it had read the record"))
    }

    @Test("a line longer than the bound is a breach, with or without its end", arguments: ["", "\n"])
    func tooLong(_ end: String) {
        var child = Self.askedAgain()
        let steps = child.received(Self.bytes(String(repeating: "x", count: 101) + end)[...], now: Self.after(101))
        #expect(steps.first == Self.breach("wrote a line longer than 100 bytes"))
    }

    @Test("too late: the record fails, then SIGTERM, then SIGKILL")
    func timesOut() {
        var child = Self.askedAgain()
        let failure = ChildFailure(code: .timeout, message: "no answer in 5 s")
        #expect(child.tooLate(now: Self.after(5100)) == [.fail(failure), .closeInput, .terminate])
        #expect(child.deadline == Self.after(6100))
        #expect(child.tooLate(now: Self.after(6100)) == [.kill])
        #expect(child.deadline == nil)
        #expect(child.exited() == [])
        #expect(child.reaped(wasSuccess: false, words: "killed by signal 9") == [])
        #expect(child.state == .gone)
    }

    @Test("a child whose record was abandoned during spawning is terminated as soon as it runs")
    func cancelsStarting() {
        var child = ChildProtocol(asking: Self.line, bounds: Self.bounds)
        #expect(child.deadline == nil)
        #expect(child.cancel(now: Self.start) == [.fail(.givenUp)])
        #expect(child.state == .unwanted)
        #expect(child.unwritten.isEmpty)
        #expect(child.started(now: Self.after(1)) == [.closeInput, .terminate])
    }

    @Test("the time limit of the first answer starts when the process exists")
    func timeBegins() {
        var child = ChildProtocol(asking: Self.line, bounds: Self.bounds)
        _ = child.started(now: Self.after(700))
        #expect(child.deadline == Self.after(5700))
    }

    @Test("a fresh child that exits without an answer fails its record")
    func freshEnds() {
        var child = Self.asked()
        #expect(child.exited() == [])
        #expect(
            child.reaped(wasSuccess: false, words: "exited with status 3")
                == [.fail(ChildFailure(code: .exit, message: "exited with status 3"))])
    }

    @Test("a child that answered before and exits without an answer passes its record on")
    func usedEnds() {
        var child = Self.askedAgain()
        _ = child.outputEnded(now: Self.after(101))
        #expect(child.state == .mute("output"))
        _ = child.exited()
        #expect(child.reaped(wasSuccess: true, words: "exited with status 0") == [.askFresh])
    }

    @Test("half an answer is an exit if the child crashed, otherwise a breach", arguments: [true, false])
    func halfAnAnswer(_ wasSuccess: Bool) {
        var child = Self.askedAgain()
        _ = child.received(Self.bytes("{\"a\"")[...], now: Self.after(101))
        _ = child.exited()
        let expected =
            wasSuccess
            ? Self.breach("ended its answer without a line feed: '{\"a\"'")
            : .fail(ChildFailure(code: .exit, message: "crashed"))
        #expect(child.reaped(wasSuccess: wasSuccess, words: "crashed") == [expected])
    }

    @Test("an answer followed by an exit is an answer")
    func answersAndEnds() {
        var child = Self.asked()
        _ = child.received(Self.bytes("{}\n")[...], now: Self.after(1))
        #expect(child.outputEnded(now: Self.after(2)) == [.answer(Self.bytes("{}")), .closeInput])
        _ = child.exited()
        #expect(child.reaped(wasSuccess: true, words: "") == [])

        var other = Self.asked()
        _ = other.received(Self.bytes("{}\n")[...], now: Self.after(1))
        #expect(other.exited() == [.answer(Self.bytes("{}"))])
    }

    @Test("a child that closes its pipe but lives on is in breach after a while")
    func mute() {
        var child = Self.askedAgain()
        #expect(child.inputBroken(now: Self.after(200)) == [])
        #expect(child.unwritten.isEmpty)
        #expect(child.deadline == Self.after(700))
        #expect(child.tooLate(now: Self.after(700)).first == Self.breach("closed its standard input without an answer"))
    }

    @Test("a record that could not even be written goes to a fresh child")
    func unwritable() {
        var child = Self.idle()
        child.ask(Self.line, now: Self.after(100))
        #expect(child.inputBroken(now: Self.after(100)) == [.askFresh, .closeInput, .terminate])
    }

    @Test("a cancelled question fails, and the child is terminated")
    func cancels() {
        var child = Self.askedAgain()
        #expect(child.cancel(now: Self.after(200)) == [.fail(.givenUp), .closeInput, .terminate])
        #expect(child.cancel(now: Self.after(201)) == [])
    }

    @Test("an idle child exits by itself or is terminated")
    func leaves() {
        var child = Self.idle()
        #expect(child.close(within: .seconds(2), now: Self.after(100)) == [.closeInput])
        #expect(child.isRetired)
        #expect(child.received(Self.bytes("bye\n")[...], now: Self.after(101)) == [])
        #expect(child.outputEnded(now: Self.after(102)) == [])
        #expect(child.tooLate(now: Self.after(2100)) == [.closeInput, .terminate])
    }

    @Test("whatever happens, a question has at most one outcome, and one once the child is gone", arguments: 0..<200)
    func oneOutcome(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        var child = ChildProtocol(asking: Self.line, bounds: Self.bounds)
        var questions = 1
        var outcomes = 0
        var now = Self.start
        func count(_ steps: [ChildProtocol.Step]) {
            outcomes += steps.count {
                switch $0 {
                case .answer, .fail, .askFresh: true
                default: false
                }
            }
        }
        for _ in 0..<60 where child.state != .gone {
            now += .milliseconds(Int.random(in: 0...400, using: &random))
            if let deadline = child.deadline, deadline <= now { count(child.tooLate(now: now)) }
            switch (Int.random(in: 0..<12, using: &random), child.state) {
            case (_, .exited): count(child.reaped(wasSuccess: Bool.random(using: &random), words: "ended"))
            case (0, .starting), (0, .unwanted): count(child.spawnFailed("no"))
            case (_, .starting), (_, .unwanted): count(child.started(now: now))
            case (0...5, .idle):
                child.ask(Self.line, now: now)
                questions += 1
            case (1, _): count(child.exited())
            case (2, _): count(child.outputEnded(now: now))
            case (3, _): count(child.inputBroken(now: now))
            case (4, _): count(child.cancel(now: now))
            case (5, _): count(child.received(Self.bytes("{\"x\"")[...], now: now))
            case (6, _): count(child.close(within: .seconds(1), now: now))
            case (7, _): count(child.received(Self.bytes("{}\n")[...], now: now))
            default: child.wrote(child.unwritten.count)
            }
            #expect(outcomes <= questions)
            #expect(outcomes >= questions - 1)
        }
        if child.state != .gone {
            if child.state == .starting || child.state == .unwanted { count(child.started(now: now)) }
            if child.state != .exited { count(child.exited()) }
            count(child.reaped(wasSuccess: true, words: "ended"))
        }
        #expect(outcomes == questions)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
