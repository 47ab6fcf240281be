import SluiceRecords

/// The view of a run in plain lines, for where there is no terminal.
enum TopLines {
    /// A run that goes on, in one line.
    static func line(_ course: RunCourse) -> String {
        var parts = [Figures.clock(course.seconds)]
        if let share = course.share { parts.append(Figures.percent(share)) }
        let more = course.moments.last?.inStages ?? 0
        let records = Figures.count(course.moments.last?.records ?? 0, "record")
        parts.append(records + (more > 0 ? " (\(Figures.count(more)) more in stages)" : ""))
        let span = course.span(at: course.seconds)
        if let rate = course.rate(at: course.seconds, { $0.finished }) { parts.append("\(Figures.rate(rate))/s") }
        if let rate = course.rate(at: course.seconds, { Double($0.textBytes) }) { parts.append("\(Figures.bytes(Int(rate)))/s") }
        if let left = course.secondsLeft { parts.append("ETA \(Figures.clock(left))") }
        parts.append("\(Figures.count(course.moments.last?.dead ?? 0)) dead")
        let busy = course.steps.indices.compactMap { index in course.busyShare(of: index, span).map { (index, $0) } }
        if let (index, share) = busy.max(by: { $0.1 < $1.1 }) {
            parts.append("busiest: \(TerminalText.safe(course.steps[index].name)) \(Figures.percent(share))")
        }
        if course.phase == .draining { parts.append("draining") }
        return parts.joined(separator: "  ") + "\n"
    }

    /// A run that has ended: all of its stages and dead letters.
    static func whole(_ course: RunCourse, width: Int = 100) -> String {
        var view = TopView(isLive: false)
        _ = view.handle(.size(columns: width, rows: course.steps.count + course.letters.count + 10))
        _ = view.handle(.course(course))
        var lines = TopScreen(view: view).lines.dropLast().map { line in
            var text = line.text
            while text.last == " " { text.removeLast() }
            return text
        }
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n") + "\n"
    }
}
