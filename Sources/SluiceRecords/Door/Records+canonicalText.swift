import Sluice
import SluiceCEL

extension Records {
    /// The text whose digest identifies the definition: everything that determines what is written.
    ///
    /// Closures are represented only by their stage, since a program cannot inspect them.
    var canonicalText: String {
        var text = CanonicalText()
        text.add(name)
        switch source.archives {
        case .patterns(let patterns): text.add(patterns)
        case .list(let list): text.add("list", list)
        }
        var script = Script()
        text.add(.format(source.format.argument(&script)))
        text.add(source.options(&script))
        if let lines = source.lines { text.add(lines.options(&script)) }
        text.add(
            source.unpacking?.rawValue, source.encoding.rawValue, source.onDamage.rawValue, "\(source.maxRecord)", source.year.map { "\($0)" }, source.zone)
        text.add("\(limits)", deadLetters)
        for (name, value) in parameters { text.add(name, "\(value)") }
        addFlow(to: &text)
        return text.text
    }

    private func addFlow(to text: inout CanonicalText) {
        for stage in stages {
            text.add("stage", stage.verb, stage.name, stage.onError.rawValue, "\(stage.pool)")
            if let argument = stage.argument { text.add(argument) }
            text.add(stage.options)
        }
        text.add(order.rawValue)
        for output in outputs {
            var script = Script()
            switch output.kind {
            case .closure: text.add("closure")
            case .declared(let sink, let argument, let options):
                text.add("sink", sink.declaration.name)
                text.add(argument(&script))
                text.add(options(&script))
            }
            if let format = output.format { text.add(.format(format.argument(&script))) }
        }
        guard let division else { return }
        text.add("routes", division.match.rawValue, "\(division.routes.count)")
        for route in division.routes {
            text.add("route", route.name, route.condition)
            route.records.addFlow(to: &text)
        }
    }
}

/// A text that differs for different values: each one is preceded by its length.
private struct CanonicalText {
    private(set) var text = ""

    mutating func add(_ texts: String?...) {
        for value in texts { text += value.map { "\($0.utf8.count)'\($0)'" } ?? "~" }
    }

    mutating func add(_ texts: [String]) {
        text += "["
        for value in texts { add(value) }
        text += "]"
    }

    mutating func add(_ arguments: Arguments) {
        text += "{"
        for (key, value) in arguments.values.sorted(by: { Name($0.key) < Name($1.key) }) {
            add(key)
            add(value)
        }
        text += "}"
    }

    mutating func add(_ argument: Argument) {
        switch argument {
        case .leaf(let leaf): add(leaf.text)
        case .integer(let value, _): add("\(value)")
        case .share(let value, _): add("\(value)")
        case .duration(let value, _): add("\(value)")
        case .flag(let value, _): add("\(value)")
        case .format(let format):
            add(format.declaration.name)
            add(format.options ?? Arguments())
        case .list(let elements, _):
            text += "["
            for element in elements { add(element) }
            text += "]"
        case .entries(let entries, _):
            text += "("
            for entry in entries {
                add(entry.key.text)
                add(entry.value)
            }
            text += ")"
        case .keys(let arguments): add(arguments)
        }
    }
}
