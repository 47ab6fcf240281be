/// The protocol of a child process: one line in, one line out. A pure state machine: bytes and
/// clock readings go in, the steps to take come out, in order.
///
/// ```
/// starting ─started─▶ asked ─line─▶ idle ─ask─▶ asked …
///                       │└─first line─▶ settling ─quiet─▶ idle
///                       └─pipe closed─▶ mute
/// any ─rule broken, too late─▶ ending ─still there─▶ killed        any ─exit─▶ exited ─reaped─▶
/// gone idle ─close─▶ leaving ─still there─▶ ending
/// ```
///
/// The first answer of a child is held back for ``Bounds/settle``. So a child that always answers
/// twice, or writes before it reads, is detected on its first record regardless of timing.
struct ChildProtocol {
    typealias Instant = ContinuousClock.Instant

    enum State: Equatable {
        /// Being spawned for its first question.
        case starting
        /// Its question was cancelled while it was being spawned.
        case unwanted
        case idle
        case asked
        case settling
        /// Asked, but it has closed a pipe: it is about to exit, or it continues to run and will
        /// never answer.
        case mute(String)
        /// Its input is closed; it should exit by itself.
        case leaving
        /// SIGTERM was sent.
        case ending
        /// SIGKILL was sent.
        case killed
        case exited
        case gone
    }

    enum Step: Equatable {
        case answer([UInt8])
        case fail(ChildFailure)
        /// The record is to be sent to a new child; this attempt does not count.
        case askFresh
        /// The child is free for the next question.
        case free
        case closeInput
        case terminate
        case kill
        /// The child violated the protocol, but no record failed.
        case complain(String)
    }

    struct Bounds {
        var timeout: Duration?
        /// The timeout of a child's first answer, if not `timeout`.
        var startTimeout: Duration?
        /// Whether an answer is any number of lines followed by an empty one.
        var answersMany = false
        /// The time from SIGTERM to SIGKILL.
        var grace: Duration = .seconds(1)
        /// The time within which a child must exit after it has closed a pipe; otherwise it is a
        /// violation.
        var exitAfterClose: Duration = .milliseconds(500)
        var settle: Duration = .milliseconds(20)
        /// In bytes.
        var longestAnswer = 64 << 20
    }

    /// Whether the child will not be asked again.
    var isRetired: Bool {
        switch state {
        case .starting, .idle, .asked, .settling: false
        case .unwanted, .mute, .leaving, .ending, .killed, .exited, .gone: true
        }
    }

    private(set) var state: State = .starting
    /// When to call ``tooLate(now:)``.
    private(set) var deadline: Instant?
    private(set) var unwritten: ArraySlice<UInt8>
    private(set) var answers = 0

    private let bounds: Bounds
    private var hasWritten = false
    private var isOpenQuestion = true
    private var answer: [UInt8] = []

    /// A child that is being spawned for `line`, which ends with a line feed.
    init(asking line: [UInt8], bounds: Bounds) {
        self.bounds = bounds
        unwritten = line[...]
    }

    mutating func started(now: Instant) -> [Step] {
        switch state {
        case .starting:
            state = .asked
            deadline = (bounds.startTimeout ?? bounds.timeout).map { now + $0 }
            return []
        default:
            return terminate(now: now)
        }
    }

    /// - Precondition: the child is idle.
    mutating func ask(_ line: [UInt8], now: Instant) {
        precondition(state == .idle)
        state = .asked
        isOpenQuestion = true
        answer.removeAll()
        unwritten = line[...]
        hasWritten = false
        deadline = bounds.timeout.map { now + $0 }
    }

    mutating func wrote(_ count: Int) {
        hasWritten = true
        unwritten = unwritten.dropFirst(count)
    }

    mutating func received(_ bytes: ArraySlice<UInt8>, now: Instant) -> [Step] {
        switch state {
        case .idle:
            return breach("wrote \(Self.excerpt(bytes)) without being asked", now: now)
        case .settling:
            return breach("answered more than once: \(Self.excerpt(bytes))", now: now)
        case .asked, .mute:
            return receivedAnswer(bytes, now: now)
        case .starting, .unwanted, .leaving, .ending, .killed, .exited, .gone:
            return []
        }
    }

    private mutating func receivedAnswer(_ bytes: ArraySlice<UInt8>, now: Instant) -> [Step] {
        if bounds.answersMany { return receivedLines(bytes, now: now) }
        let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        answer.append(contentsOf: bytes[..<(end ?? bytes.endIndex)])
        guard answer.count <= bounds.longestAnswer else {
            return breach("wrote a line longer than \(bounds.longestAnswer) bytes", now: now)
        }
        guard let end else { return [] }
        // Check the line itself first, so that the message does not depend on when a second line
        // arrives.
        guard Self.looksLikeObject(answer) else {
            return breach("answered \(Self.excerpt(answer[...])), which is not a JSON object", now: now)
        }
        return received(whole: bytes[(end + 1)...], now: now)
    }

    /// Handles received bytes if answers end with an empty line.
    private mutating func receivedLines(_ bytes: ArraySlice<UInt8>, now: Instant) -> [Step] {
        let lineFeed = UInt8(ascii: "\n")
        var isAtStart = answer.last.map { $0 == lineFeed } ?? true
        var end: Int?
        for index in bytes.indices {
            if bytes[index] == lineFeed, isAtStart {
                end = index
                break
            }
            isAtStart = bytes[index] == lineFeed
        }
        answer.append(contentsOf: bytes[..<(end ?? bytes.endIndex)])
        guard answer.count <= bounds.longestAnswer else {
            return breach("wrote an answer longer than \(bounds.longestAnswer) bytes", now: now)
        }
        guard let end else { return [] }
        if answer.last == lineFeed { answer.removeLast() }
        if let line = answer.split(separator: lineFeed).first(where: { !Self.looksLikeObject($0) }) {
            return breach("answered \(Self.excerpt(line)), which is not a JSON object", now: now)
        }
        return received(whole: bytes[(end + 1)...], now: now)
    }

    /// Handles a complete answer.
    private mutating func received(whole surplus: ArraySlice<UInt8>, now: Instant) -> [Step] {
        guard surplus.isEmpty else {
            return breach("answered more than once: \(Self.excerpt(surplus))", now: now)
        }
        guard unwritten.isEmpty else {
            return breach("answered before it had read the record", now: now)
        }
        guard answers == 0, case .asked = state else { return answered() }
        state = .settling
        deadline = now + bounds.settle
        return []
    }

    private mutating func answered() -> [Step] {
        answers += 1
        isOpenQuestion = false
        defer { answer = [] }
        switch state {
        case .asked, .settling:
            state = .idle
            deadline = nil
            return [.answer(answer), .free]
        default:
            state = .leaving
            return [.answer(answer), .closeInput]
        }
    }

    /// The child's standard output has ended.
    mutating func outputEnded(now: Instant) -> [Step] {
        switch state {
        case .idle:
            return close(within: bounds.exitAfterClose, now: now)
        case .settling:
            state = .leaving
            deadline = now + bounds.exitAfterClose
            return answered()
        case .asked:
            mute("output", now: now)
            return []
        default:
            return []
        }
    }

    /// A write failed because the child's standard input is closed.
    mutating func inputBroken(now: Instant) -> [Step] {
        let wasUnseen = !hasWritten
        unwritten = []
        guard state == .asked else { return [] }
        guard wasUnseen, answers > 0 else {
            mute("input", now: now)
            return []
        }
        isOpenQuestion = false
        return [.askFresh] + terminate(now: now)
    }

    private mutating func mute(_ pipe: String, now: Instant) {
        state = .mute(pipe)
        let patience = now + bounds.exitAfterClose
        deadline = deadline.map { min($0, patience) } ?? patience
    }

    /// The process has exited, and everything it wrote was passed to ``received(_:now:)``.
    mutating func exited() -> [Step] {
        let steps = state == .settling ? answered().filter { $0 != .free } : []
        state = .exited
        deadline = nil
        return steps
    }

    /// - Parameter words: how the process ended, and the end of its standard error.
    mutating func reaped(wasSuccess: Bool, words: String) -> [Step] {
        state = .gone
        guard isOpenQuestion else { return [] }
        guard answer.isEmpty else {
            let isCutShort = wasSuccess
            return isCutShort
                ? fail(.breach, "ended its answer without \(bounds.answersMany ? "an empty line" : "a line feed"): \(Self.excerpt(answer[...]))")
                : fail(.exit, words)
        }
        // It may have begun to exit before it was asked.
        guard answers == 0 else {
            isOpenQuestion = false
            return [.askFresh]
        }
        return fail(.exit, words)
    }

    mutating func spawnFailed(_ reason: String) -> [Step] {
        state = .gone
        deadline = nil
        return isOpenQuestion ? fail(.spawn, reason) : []
    }

    mutating func tooLate(now: Instant) -> [Step] {
        switch state {
        case .asked:
            let isFirst = answers == 0
            return fail(.noAnswer(in: (isFirst ? bounds.startTimeout : nil) ?? bounds.timeout ?? .zero)) + terminate(now: now)
        case .mute(let pipe):
            return breach("closed its standard \(pipe) without an answer", now: now)
        case .settling:
            return answered()
        case .leaving:
            return terminate(now: now)
        case .ending:
            state = .killed
            deadline = nil
            return [.kill]
        case .starting, .unwanted, .idle, .killed, .exited, .gone:
            deadline = nil
            return []
        }
    }

    /// The answer is no longer needed. The child is terminated, since whatever it may still write
    /// belongs to no record.
    mutating func cancel(now: Instant) -> [Step] {
        guard isOpenQuestion else { return [] }
        let failure = fail(.givenUp)
        if state == .starting {
            state = .unwanted
            return failure
        }
        return state == .exited ? failure : failure + terminate(now: now)
    }

    /// Asks an idle child to exit by closing its input.
    mutating func close(within patience: Duration, now: Instant) -> [Step] {
        guard state == .idle else { return [] }
        state = .leaving
        deadline = now + patience
        return [.closeInput]
    }

    private mutating func breach(_ message: String, now: Instant) -> [Step] {
        (isOpenQuestion ? fail(.breach, message) : [.complain(message)]) + terminate(now: now)
    }

    private mutating func fail(_ code: ChildFailure.Code, _ message: String) -> [Step] {
        fail(ChildFailure(code: code, message: message))
    }

    private mutating func fail(_ failure: ChildFailure) -> [Step] {
        isOpenQuestion = false
        answer = []
        unwritten = []
        return [.fail(failure)]
    }

    private mutating func terminate(now: Instant) -> [Step] {
        unwritten = []
        state = .ending
        deadline = now + bounds.grace
        return [.closeInput, .terminate]
    }

    private static func looksLikeObject(_ line: some BidirectionalCollection<UInt8>) -> Bool {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
        return line.first { !isSpace($0) } == UInt8(ascii: "{") && line.last { !isSpace($0) } == UInt8(ascii: "}")
    }

    /// The first bytes as quoted text on one line.
    static func excerpt(_ bytes: ArraySlice<UInt8>) -> String {
        let shown = String(decoding: bytes.prefix(80), as: UTF8.self)
        let line = shown.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : String($0) }.joined()
        return "'\(line)\(bytes.count > 80 ? "…" : "")'"
    }
}
