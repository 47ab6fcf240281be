import SluiceRecords

/// The view of a run: what is shown, and what keys do. A value without a terminal, a thread or a
/// clock.
struct TopView {
    enum Event: Equatable, Sendable {
        case key(Key)
        case size(columns: Int, rows: Int)
        /// What is known of the run by now.
        case course(RunCourse)
        /// Why nothing new is known of it.
        case problem(String)
        /// What became of a command.
        case done(String)
    }

    /// What the view wants to have done.
    enum Command: Equatable, Sendable {
        case quit, interrupt, suspend
        case drain
        case resize(stage: String, workers: Int)
    }

    enum Order: String, CaseIterable {
        case flow, rate, queue, busy, dead
    }

    /// What the last line asks for, or what covers the table.
    enum Prompt: Equatable {
        case help
        /// Whether to do what ends something.
        case confirm(Command, question: String)
        /// A number of workers.
        case workers(stage: String, digits: String)
    }

    /// Whether commands can reach the run.
    let isLive: Bool
    private(set) var columns = 80
    private(set) var rows = 24
    private(set) var course: RunCourse?
    private(set) var order = Order.flow
    /// Among the steps of the run.
    private(set) var selected: Int?
    /// The time that is looked at; `nil` follows the run.
    private(set) var position: Double?
    /// Whether curves show the last minute only.
    private(set) var isZoomed = false
    private(set) var prompt: Prompt?
    private(set) var message: String?
    private(set) var problem: String?

    /// - Parameter notice: what is said at first, if anything.
    init(isLive: Bool, notice: String? = nil) {
        self.isLive = isLive
        message = notice.map { TerminalText.safe($0) }
    }

    mutating func handle(_ event: Event) -> Command? {
        switch event {
        case .size(let columns, let rows): (self.columns, self.rows) = (max(1, columns), max(1, rows))
        case .course(let course):
            let name = selected.flatMap { self.course?.steps[$0].name }
            self.course = course
            selected = name.flatMap { name in course.steps.firstIndex { $0.name == name } }
            position = position.map { min($0, course.seconds) }
            problem = nil
        case .problem(let text): problem = TerminalText.safe(text)
        case .done(let text): message = TerminalText.safe(text)
        case .key(let key): return press(key)
        }
        return nil
    }

    private mutating func press(_ key: Key) -> Command? {
        if key == .control("c") { return .interrupt }
        if key == .control("z") { return .suspend }
        message = nil
        guard let prompt else { return pressInTable(key) }
        self.prompt = nil
        switch prompt {
        case .help: return key == .character("q") ? .quit : nil
        case .confirm(let command, _):
            if key == .character("y") || key == .character("Y") { return command }
            message = "nothing was done"
        case .workers(let stage, let digits):
            switch key {
            case .character(let digit) where digit.isASCII && digit.isNumber && digits.count < 4:
                self.prompt = .workers(stage: stage, digits: digits + String(digit))
            case .backspace: self.prompt = .workers(stage: stage, digits: String(digits.dropLast()))
            case .enter:
                guard let workers = Int(digits), workers > 0 else { break }
                return resize(stage, to: workers)
            case .escape: break
            default: self.prompt = prompt
            }
        }
        return nil
    }

    private mutating func pressInTable(_ key: Key) -> Command? {
        switch key {
        case .character("q"), .escape: return .quit
        case .character("?"), .character("h"): prompt = .help
        case .character("s"): sort(by: 1)
        case .character("S"): sort(by: -1)
        case .character("z"): isZoomed.toggle()
        case .up, .character("k"): select(-1)
        case .down, .character("j"): select(1)
        case .left: move(by: -1)
        case .right: move(by: 1)
        case .pageUp, .character("<"): move(by: -10)
        case .pageDown, .character(">"): move(by: 10)
        case .home, .character("g"): position = course == nil ? nil : 0
        case .end, .character("G"): position = nil
        case .character("d"): askToDrain()
        case .character("+"), .character("="): return resizeSelected(by: 1)
        case .character("-"): return resizeSelected(by: -1)
        case .character("r"), .enter: askForWorkers()
        default: break
        }
        return nil
    }

    private mutating func sort(by steps: Int) {
        let all = Order.allCases
        let index = all.firstIndex(of: order) ?? 0
        order = all[(index + steps + all.count) % all.count]
    }

    private mutating func select(_ steps: Int) {
        let sorted = sorted
        guard !sorted.isEmpty else { return }
        let index = selected.flatMap { sorted.firstIndex(of: $0) }
        selected = sorted[index.map { min(max($0 + steps, 0), sorted.count - 1) } ?? (steps > 0 ? 0 : sorted.count - 1)]
    }

    /// Moves in time, by sixtieths of the run.
    private mutating func move(by steps: Int) {
        guard let course, course.seconds > 0 else { return }
        let next = (position ?? course.seconds) + Double(steps) * course.seconds / 60
        position = next >= course.seconds ? nil : max(0, next)
    }

    private mutating func reaches() -> Bool {
        guard let course, course.isOpen else {
            message = "the run has ended"
            return false
        }
        if !isLive { message = "this view only reads files: give it a dashboard's address" }
        return isLive
    }

    private mutating func askToDrain() {
        guard reaches() else { return }
        guard course?.phase != .draining else {
            message = "the run is being drained already"
            return
        }
        prompt = .confirm(.drain, question: "Stop reading, finish what is in flight and end the run? It can be resumed. y/n")
    }

    private mutating func resizable() -> Int? {
        guard reaches(), let course else { return nil }
        guard let selected else {
            message = "choose a stage with the arrow keys"
            return nil
        }
        guard course.steps[selected].isResizable else {
            message = "the workers of '\(TerminalText.safe(course.steps[selected].name))' cannot be changed during the run"
            return nil
        }
        return selected
    }

    private mutating func resizeSelected(by workers: Int) -> Command? {
        guard let index = resizable(), let course, let now = course.moments.last?.steps[index].workers else { return nil }
        guard now + workers >= 1 else {
            message = "a stage has at least 1 worker"
            return nil
        }
        return resize(course.steps[index].name, to: now + workers)
    }

    private mutating func askForWorkers() {
        guard let index = resizable(), let course else { return }
        prompt = .workers(stage: course.steps[index].name, digits: "")
    }

    /// Fewer child processes means that some are ended.
    private mutating func resize(_ stage: String, to workers: Int) -> Command? {
        let command = Command.resize(stage: stage, workers: workers)
        guard let course, let index = course.steps.firstIndex(where: { $0.name == stage }), let now = course.moments.last?.steps[index].workers else {
            return nil
        }
        guard course.steps[index].kind == .own, workers < now else { return command }
        let ended =
            now - workers == 1 ? "1 worker of '\(TerminalText.safe(stage))'" : "\(Figures.count(now - workers)) workers of '\(TerminalText.safe(stage))'"
        prompt = .confirm(command, question: "End \(ended) after what they are at? y/n")
        return nil
    }

    /// The time that figures are of.
    var time: Double { position ?? course?.seconds ?? 0 }

    /// Whether figures are of all of a run that has ended.
    private var isOfWhole: Bool { position == nil && course?.isOpen == false }

    /// The part of the time that figures are taken over: the last moments, or all of a run that has
    /// ended.
    var span: ClosedRange<Double> {
        guard let course else { return 0...0 }
        return isOfWhole ? 0...course.seconds : course.span(at: time)
    }

    /// How much a total grows in a second, at the time that figures are of.
    func rate(_ count: (RunCourse.Moment) -> Double?) -> Double? {
        isOfWhole ? course?.rate(span, count) : course?.rate(at: time, count)
    }

    /// The steps in the order that is chosen.
    var sorted: [Int] {
        guard let course else { return [] }
        let span = span
        func figure(_ step: Int) -> Double {
            switch order {
            case .flow: 0
            case .rate: course.steps[step].kind == .reading || course.steps[step].kind == .writing ? -1 : rate { $0.steps[step].out } ?? -1
            case .queue: Double(course.moment(at: time)?.steps[step].queued ?? 0)
            case .busy: course.busyShare(of: step, span) ?? -1
            case .dead: Double(course.moment(at: time)?.steps[step].dead ?? 0)
            }
        }
        let figures = course.steps.indices.map(figure)
        return course.steps.indices.sorted { (figures[$1], $0) < (figures[$0], $1) }
    }
}
