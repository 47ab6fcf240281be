import SluiceDefinition
import SluiceRecords

/// The output of `check --sample`.
enum SampleReport {
    /// The maximum number of fields to list.
    private static let listed = 40

    /// - Parameter width: the columns of a terminal.
    static func text(_ sample: PipelineSample, _ paint: Paint, width: Int? = nil) -> String {
        var text = ""
        if let source = sample.places.first { text += fields(of: source, width) }
        if sample.places.count > 1 {
            var columns = Columns("stage", "in", "out", "dead")
            for place in sample.places.dropFirst() {
                columns.append([place.name, Figures.count(place.in), Figures.count(place.out), Figures.count(place.dead)])
            }
            text += "\n" + columns.text(fitting: width)
        }
        for place in sample.places {
            guard place.dead > 0, let failure = place.firstFailure else { continue }
            let line = failure.line.map { "line \($0): " } ?? ""
            text +=
                paint.yellow("warning: ") + "\(place.name): \(Figures.count(place.dead)) of \(Figures.count(place.in)) records fail, first: "
                + "\(line)\(Figures.shortened(failure.message, to: 160))\n"
        }
        for finding in sample.findings { text += paint.yellow("warning: ") + Figures.line("\(finding.stage): \(finding.message)") + "\n" }
        if let end = sample.end { text += "not sampled from '\(end)' on, which calls another program\n" }
        return Wrapping.wrapped(text, to: width)
    }

    private static func fields(of source: PipelineSample.Place, _ width: Int?) -> String {
        var text = "\(Figures.count(source.in, "record")) sampled, \(Figures.count(source.out)) of them read\n"
        guard !source.fields.isEmpty else { return text }
        var columns = Columns("field", "records", "types")
        columns.lastIsLeft = true
        for field in source.fields.prefix(listed) {
            let types = field.types.count == 1 ? field.types[0].name : field.types.map { "\($0.name) \(Figures.count($0.count))" }.joined(separator: ", ")
            columns.append([Figures.shortened(field.name, to: 30), Figures.count(field.count), types])
        }
        text += columns.text(fitting: width)
        if source.fields.count > listed { text += "  and \(Figures.count(source.fields.count - listed)) more fields\n" }
        return text
    }
}
