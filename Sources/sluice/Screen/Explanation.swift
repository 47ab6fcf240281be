import Sluice
import SluiceDefinition
import SluiceRecords
import WorkerPools

/// The output of `explain` for a pipeline.
enum Explanation {
    /// The longest lines, also where no terminal is narrower.
    private static let most = 60

    /// - Parameter width: the columns of a terminal.
    static func text(_ pipeline: RecordPipeline, threads: Int, _ paint: Paint, width: Int? = nil) -> String {
        let room = min(most, width ?? most)
        let outline = PipelineOutline(pipeline, threads: threads)
        var columns = Columns("stage", "verb", "workers", "queue")
        columns.left = 2
        columns.dispensable = ["queue", "workers"]
        for place in outline.places {
            columns.append([
                place.name, place.verb, place.workers.map(workers) ?? "", place.queue.map { Figures.count($0) } ?? "",
            ])
        }
        var text = "\(paint.bold(pipeline.name))\n\n" + columns.text(fitting: width) + "\n"
        text += wrapped("source", source(pipeline.source), to: room)
        for place in outline.places { text += notes(on: place, to: room) }
        text += "\n"
        var fields: [Schema?] = []
        for place in outline.places {
            fields.append(place.fields ?? place.before.flatMap { fields[$0] })
            guard place.fields != nil, let shown = change(place, from: place.before.flatMap { fields[$0] }) else { continue }
            text += wrapped(place.name, shown, to: room)
        }
        text += "\n" + wrapped("dead letters", pipeline.deadLetters + limit(pipeline.limits), to: room)
        text += wrapped("memory", "\(Figures.bytes(UInt64(pipeline.limits.memory))) for batches in flight, \(Figures.count(threads)) threads", to: room)
        return Wrapping.wrapped(text, to: width)
    }

    private static func workers(_ range: ClosedRange<Int>) -> String {
        range.lowerBound == range.upperBound ? Figures.count(range.upperBound) : "\(range.lowerBound) to \(Figures.count(range.upperBound))"
    }

    private static func source(_ source: SourceSettings) -> String {
        let inputs = source.inputs
        let size = inputs.reduce(UInt64(0)) { $0 + ($1.size ?? 0) }
        let first = inputs.first.map { ", \($0.isStandardInput ? "standard input" : $0.path)" + (inputs.count > 1 ? ", …" : "") } ?? ""
        let files = inputs.isEmpty ? "no inputs" : inputs.count == 1 ? "1 input" : "\(Figures.count(inputs.count)) inputs"
        return
            "reads \(files)\(first) (\(Figures.bytes(size))) as \(source.format.name)\(source.archive == nil ? "" : ", the files in tar archives"); on_damage: \(source.onDamage.rawValue)"
    }

    /// Remarks on a place.
    private static func notes(on place: PipelineOutline.Place, to width: Int) -> String {
        var notes: [String] = []
        switch place.kind {
        case .ordered: notes.append("processes batches in input order, one at a time")
        case .closing: notes.append("returns its records at the end of the input")
        case .sink(let settings):
            let path = settings.sink.path.text
            let parts = settings.sink.hasTaskParts ? " in parts\(settings.sink.part == nil ? ", one for" : " of limited size from") each task," : ""
            notes.append("writes \(path == "-" ? "standard output" : path)\(parts) as \(settings.format.name), order: \(settings.order.rawValue)")
        case .source, .each, .routes: break
        }
        if let timeout = place.timeout { notes.append("timeout: \(timeout)") }
        if let retry = place.retry { notes.append("retry: \(Figures.count(retry.times)) times") }
        if let policy = place.onError, policy != .deadLetter { notes.append("on_error: \(policy.rawValue)") }
        return notes.isEmpty ? "" : wrapped(place.name, notes.joined(separator: "; "), to: width)
    }

    private static func limit(_ limits: Limits) -> String {
        switch limits.deadLetters {
        case .count(let count)?: "; more than \(Figures.count(count)) stop the run"
        case .share(let share)?: "; more than \(share * 100 == (share * 100).rounded() ? "\(Int(share * 100))" : "\(share * 100)") % stop the run"
        case .all?: "; any number"
        case nil: ""
        }
    }

    /// The fields after a place, or only those that it changes.
    private static func change(_ place: PipelineOutline.Place, from before: Schema?) -> String? {
        guard let after = place.fields else { return nil }
        guard case .source = place.kind else {
            guard let before else { return fields(after) }
            let added = after.names.filter { !before.names.contains($0) }
            let removed = before.names.filter { !after.names.contains($0) }
            switch (before.isOpen, after.isOpen) {
            case (true, true): return nil
            case (_, false) where before.isOpen || removed.count > after.names.count: return fields(after)
            case (false, true): return "fields: as in its records"
            default:
                let parts = added.map { "+\($0)" } + removed.map { "-\($0)" }
                return parts.isEmpty ? nil : "fields " + parts.joined(separator: " ")
            }
        }
        return fields(after)
    }

    private static func fields(_ schema: Schema) -> String {
        schema.isOpen ? "fields: as in the records" : "fields \(schema.names.joined(separator: " "))"
    }

    /// A label followed by text that is wrapped and indented below itself.
    private static func wrapped(_ label: String, _ text: String, to width: Int) -> String {
        let indent = max(14, label.count + 4)
        var lines: [String] = []
        var line = "  " + label + String(repeating: " ", count: indent - label.count - 2)
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = String(repeating: " ", count: indent)
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }
}
