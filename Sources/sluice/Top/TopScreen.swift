import SluiceRecords

/// Draws a view as lines of text, at most as many and as wide as the terminal.
struct TopScreen {
    let view: TopView

    var lines: [ScreenLine] {
        let middle = view.rows - 1
        var lines = head
        if view.prompt == .help {
            lines += [ScreenLine()] + Self.help
        } else if let course = view.course, !course.steps.isEmpty {
            lines += body(course, rows: middle - lines.count)
        }
        lines = Array(lines.prefix(max(0, middle)))
        while lines.count < middle { lines.append(ScreenLine()) }
        return (lines + [foot]).map { $0.cut(to: view.columns) }
    }

    private var head: [ScreenLine] {
        guard let course = view.course else { return [ScreenLine(view.problem ?? "waiting for the first samples …", .dim)] }
        let moment = course.moment(at: view.time)
        var lines = [first(course), second(course, moment)]
        let room = view.columns - 14
        if room >= 10, view.rows >= 10, course.moments.count > 1 {
            let curve = Sparkline.text(course.rates(curveSpan(course), parts: room) { $0.finished })
            var line = ScreenLine("  records/s ", .dim)
            line.append(curve, .green)
            lines.append(line)
            if let marker = marker(course, room) { lines.append(marker) }
        }
        return lines
    }

    private func first(_ course: RunCourse) -> ScreenLine {
        var line = ScreenLine(
            TerminalText.fitted(TerminalText.safe(course.pipeline), to: min(TerminalText.width(of: TerminalText.safe(course.pipeline)), 30)), .bold)
        let (word, style): (String, ScreenLine.Style) =
            switch course.phase {
            case .running: ("running", .green)
            case .draining: ("draining", .yellow)
            case .ended(.complete): ("complete", .green)
            case .ended(.losses): ("complete, with losses", .yellow)
            case .ended(.failed): ("failed", .red)
            case .ended(.interrupted): ("interrupted", .yellow)
            case .killed: ("ended without a report", .red)
            }
        line.append("  ")
        line.append(word, style)
        if view.position != nil {
            line.append("  at ")
            line.append(Figures.clock(view.time), .reversed)
            line.append(" of \(Figures.clock(course.seconds))")
        } else {
            line.append("  \(course.isOpen ? Figures.clock(course.seconds) : Figures.seconds(course.seconds))")
            if course.isOpen, let share = course.share {
                line.append("  \(Figures.percent(share))")
                if share >= 1 { line.append("  finishing") } else if let left = course.secondsLeft { line.append("  ETA \(Figures.clock(left))") }
            }
            if let bottleneck = course.bottleneck { line.append("  bottleneck: \(TerminalText.safe(bottleneck))", .yellow) }
            if course.isOpen, view.problem == nil, let age = course.age, age >= 2 { line.append("  sampled \(Figures.clock(age)) ago", .dim) }
        }
        if let problem = view.problem { line.append("  \(problem)", .red) }
        return line
    }

    /// In the longest of its forms that fits.
    private func second(_ course: RunCourse, _ moment: RunCourse.Moment?) -> ScreenLine {
        let more = course.isOpen ? moment?.inStages ?? 0 : 0
        let hasMemory = moment?.memoryBytes ?? 0 > 0
        let memory = Figures.bytes(moment?.memoryBytes ?? 0)
        let forms = [
            (more: " (\(Figures.count(more)) more in stages)", memory: "  \(memory) of memory"), (more: " +\(Figures.count(more))", memory: "  \(memory) mem"),
            (more: " +\(Figures.count(more))", memory: ""), (more: "", memory: ""),
        ]
        let lines = forms.map { second(course, moment, more: more > 0 ? $0.more : "", memory: hasMemory ? $0.memory : "") }
        return lines.first { $0.width <= view.columns } ?? lines[lines.count - 1]
    }

    private func second(_ course: RunCourse, _ moment: RunCourse.Moment?, more: String, memory: String) -> ScreenLine {
        var line = ScreenLine("  \(Figures.count(moment?.records ?? 0, "record"))\(more)")
        if let rate = view.rate({ $0.finished }) { line.append("  \(Figures.rate(rate))/s") }
        if let rate = view.rate({ Double($0.textBytes) }), moment?.textBytes ?? 0 > 0 { line.append("  \(Figures.bytes(Int(rate)))/s") }
        let dead = moment?.dead ?? 0
        line.append("  ")
        line.append("\(Figures.count(dead)) dead", dead > 0 ? .red : .plain)
        if let damage = course.damage, damage > 0, view.position == nil {
            line.append("  ")
            line.append(damage == 1 ? "1 damaged place" : "\(Figures.count(damage)) damaged places", .red)
        }
        line.append(memory, .dim)
        return line
    }

    /// Where the position is below a curve.
    private func marker(_ course: RunCourse, _ room: Int) -> ScreenLine? {
        guard view.position != nil else { return nil }
        let span = curveSpan(course)
        let share = span.upperBound > span.lowerBound ? (view.time - span.lowerBound) / (span.upperBound - span.lowerBound) : 1
        let column = min(room - 1, max(0, Int(share * Double(room))))
        return ScreenLine(String(repeating: " ", count: 12 + column) + "▲", .bold)
    }

    private func curveSpan(_ course: RunCourse) -> ClosedRange<Double> {
        guard view.isZoomed else { return 0...course.seconds }
        let end = max(view.time, min(60, course.seconds))
        return max(0, end - 60)...end
    }

    private func body(_ course: RunCourse, rows: Int) -> [ScreenLine] {
        let letters = course.letters
        let wanted = course.steps.count + 2
        // The letters get what the table leaves, and a third of it at least.
        let forLetters = letters.isEmpty ? 0 : min(letters.count + 2, max(rows - wanted, rows / 3))
        let table = table(course, rows: rows - forLetters)
        return table + lettersLines(letters, rows: min(rows - table.count, letters.count + 2))
    }

    private func table(_ course: RunCourse, rows: Int) -> [ScreenLine] {
        guard rows >= 3 else { return [] }
        let columns = TopColumns(width: view.columns, course, order: view.order)
        let sorted = view.sorted
        var room = rows - 2
        let isCut = sorted.count > room
        if isCut { room = max(1, room - 1) }
        // The selected one is on the screen.
        let selected = view.selected.flatMap { sorted.firstIndex(of: $0) } ?? 0
        let start = min(max(0, selected - room + 1), max(0, sorted.count - room))
        let shown = sorted[start..<min(sorted.count, start + room)]
        var lines = [ScreenLine(), ScreenLine(columns.heading, .dim)]
        let curve = curveSpan(course)
        for step in shown { lines.append(columns.line(step, course, view, curve)) }
        if isCut { lines.append(ScreenLine("  … \(Figures.count(sorted.count - shown.count)) more", .dim)) }
        return lines
    }

    private func lettersLines(_ letters: [RunCourse.Letters], rows: Int) -> [ScreenLine] {
        guard !letters.isEmpty, rows >= 3 else { return [] }
        let total = letters.reduce(0) { $0 + $1.count }
        var lines = [
            ScreenLine(),
            ScreenLine("  dead letters: \(Figures.count(total)) of \(letters.count == 1 ? "1 kind" : "\(Figures.count(letters.count)) kinds")", .dim),
        ]
        for letter in letters.prefix(rows - 2) {
            var line = ScreenLine("  " + TerminalText.fitted(Figures.count(letter.count), to: 7, isRight: true), .red)
            line.append("  \(TerminalText.safe(letter.code))", .yellow)
            line.append(" in \(TerminalText.safe(letter.stage)): \(TerminalText.safe(letter.message.prefix(500)))")
            lines.append(line)
        }
        return lines
    }

    private var foot: ScreenLine {
        switch view.prompt {
        case .confirm(_, let question):
            guard TerminalText.width(of: question) > view.columns else { return ScreenLine(question, .reversed) }
            // The keys stay in view.
            return ScreenLine(TerminalText.fitted(question, to: view.columns - 4) + " y/n", .reversed)
        case .workers(let stage, let digits):
            let name = TerminalText.safe(stage)
            let room = max(1, view.columns - "workers for '': _".count - digits.count)
            return ScreenLine("workers for '\(TerminalText.width(of: name) > room ? TerminalText.fitted(name, to: room) : name)': \(digits)_", .reversed)
        case .help: return ScreenLine("any key: back   q: quit", .dim)
        case nil: break
        }
        if let message = view.message { return ScreenLine(message, .yellow) }
        let commands = view.isLive && view.course?.isOpen ?? true ? ["d drain", "+- workers"] : []
        let long = ["q quit", "? help", "s sort: \(view.order.rawValue)", "←→ time", "z \(view.isZoomed ? "whole run" : "last minute")"] + commands
        let short = ["q quit", "? help", "s sort", "←→ time", "z zoom"] + commands
        let forms = [long.joined(separator: "   "), short.joined(separator: "  "), (["q quit", "? help"] + commands).joined(separator: "  ")]
        return ScreenLine(forms.first { TerminalText.width(of: $0) <= view.columns } ?? forms[forms.count - 1], .dim)
    }

    private static let help: [ScreenLine] = [
        ("q, Esc", "quit; the run goes on"),
        ("s, S", "sort by rate, queue, busy, dead, or by flow"),
        ("↑ ↓, k j", "choose a stage"),
        ("← →", "go back and forth in time; < > by ten steps"),
        ("Home, End", "the beginning of the run; its end, or now"),
        ("z", "curves of the last minute, or of the whole run"),
        ("+ -, r", "more or fewer workers of a stage; a number"),
        ("d", "drain: stop reading and end the run"),
        ("Ctrl-Z", "to the shell; fg comes back"),
    ].map { keys, text in
        var line = ScreenLine("  " + TerminalText.fitted(keys, to: 12), .bold)
        line.append(text)
        return line
    }
}

/// The columns of the table, as many as fit.
struct TopColumns {
    private let name: Int
    private let figures: [Column]
    private let curve: Int
    private let order: TopView.Order

    private enum Column: String, CaseIterable {
        case rate = "rate/s"
        case queue, workers, busy, dead

        var width: Int {
            switch self {
            case .rate: 9
            case .queue: 6
            case .workers: 8
            case .busy: 5
            case .dead: 6
            }
        }
    }

    /// The columns that are given up first.
    private static let spare: [Column] = [.dead, .workers, .queue, .busy]
    /// Of the shortest name, and of the shortest and the longest curve.
    private static let (shortestName, shortestCurve, longestCurve) = (8, 8, 60)

    init(width: Int, _ course: RunCourse, order: TopView.Order) {
        self.order = order
        let longest = course.steps.map { TerminalText.width(of: TopColumns.shown($0)) }.max() ?? 0
        let hasDead = course.moments.last?.steps.contains { $0.dead != nil } ?? false
        var figures = Column.allCases.filter { $0 != .dead || hasDead }
        func left() -> Int { width - 2 - figures.reduce(0) { $0 + $1.width + 1 } }
        for column in Self.spare where left() < Self.shortestName { figures.removeAll { $0 == column } }
        let room = max(1, left())
        let wish = max(5, min(longest, 40))
        let curve = room - min(wish, max(Self.shortestName, room - Self.shortestCurve - 1)) - 1
        let hasCurve = curve >= Self.shortestCurve && course.moments.count > 1
        self.curve = hasCurve ? min(curve, Self.longestCurve) : 0
        name = min(wish, hasCurve ? room - curve - 1 : room)
        self.figures = figures
    }

    var heading: String {
        var text = "  " + TerminalText.fitted("stage", to: name)
        for column in figures {
            let isSorted = order.rawValue == column.rawValue || order == .rate && column == .rate
            text += " " + TerminalText.fitted((isSorted ? "↓" : "") + column.rawValue, to: column.width, isRight: true)
        }
        return text + (curve > 0 ? " over time" : "")
    }

    func line(_ step: Int, _ course: RunCourse, _ view: TopView, _ curveSpan: ClosedRange<Double>) -> ScreenLine {
        let about = course.steps[step]
        let isSelected = step == view.selected
        var line = ScreenLine(isSelected ? "> " : "  ", .bold)
        line.append(TerminalText.fitted(Self.shown(about), to: name), isSelected ? .bold : .plain)
        for column in figures {
            let (text, style) = Self.figure(column, step, course, view)
            line.append(" " + TerminalText.fitted(text, to: column.width, isRight: true), style)
        }
        guard curve > 0 else { return line }
        line.append(" ")
        line.append(Sparkline.text(course.rates(curveSpan, parts: curve, Self.count(about, step))), .green)
        return line
    }

    private static func shown(_ step: RunCourse.Step) -> String {
        switch step.kind {
        case .reading: "reading"
        case .writing: "writing"
        case .stage, .ordered, .own: TerminalText.safe(step.name)
        }
    }

    /// What a step's rate is of: text for reading, what is written for writing, records for others.
    private static func count(_ about: RunCourse.Step, _ step: Int) -> @Sendable (RunCourse.Moment) -> Double? {
        switch about.kind {
        case .reading: { Double($0.textBytes) }
        case .writing: { Double($0.written) }
        case .stage, .ordered, .own: { $0.steps[step].out }
        }
    }

    private static func figure(_ column: Column, _ step: Int, _ course: RunCourse, _ view: TopView) -> (String, ScreenLine.Style) {
        let about = course.steps[step]
        let moment = course.moment(at: view.time)?.steps[step]
        switch column {
        case .rate:
            guard let rate = view.rate(count(about, step)) else { return ("-", .dim) }
            return (about.kind == .reading ? Figures.bytes(Int(rate)) : Figures.rate(rate), .plain)
        case .queue:
            guard about.kind != .reading, about.kind != .writing else { return ("", .plain) }
            return (Figures.count(moment?.queued ?? 0), .plain)
        case .workers:
            let now = moment?.workers ?? 0
            return ("\(Figures.count(now))\(now >= about.workers ? "" : " of \(Figures.count(about.workers))")", .plain)
        case .busy:
            guard let share = course.busyShare(of: step, view.span) else { return ("-", .dim) }
            return ("\(Int((100 * share).rounded())) %", share >= 0.75 ? .yellow : .plain)
        case .dead:
            guard let dead = moment?.dead else { return ("", .plain) }
            return (Figures.count(dead), dead > 0 ? .red : .dim)
        }
    }
}
