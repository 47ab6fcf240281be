import Sluice
import SluiceCEL

/// A stage that is not compiled yet.
struct StageDraft: Sendable {
    /// The name given by the program; `nil` for the verb, with a number if it is used again.
    var name: String?
    var verb: String
    var pool = PoolOptions()
    var onError = FailurePolicy.deadLetter
    /// The texts that positions in messages refer to.
    var script = Script()
    /// As in a pipeline file; `nil` for a closure.
    var argument: Argument?
    var options = Arguments()
    let make: @Sendable (inout Checking) -> (any Verb)?
}

/// The texts of a stage, a source or a sink, each on a line of its own, so that a position
/// identifies the text.
struct Script: Sendable {
    private(set) var lines: [String] = []

    mutating func leaf(_ text: String) -> Leaf {
        lines.append(text)
        var leaf = Leaf(text)
        leaf.positions = leaf.positions.map { TextPosition(line: lines.count, column: $0.column) }
        return leaf
    }

    mutating func argument(_ text: String) -> Argument { .leaf(leaf(text)) }

    mutating func argument(_ texts: [String]) -> Argument { .list(texts.map { argument($0) }, place) }

    mutating func argument(_ entries: KeyValuePairs<String, String>) -> Argument {
        .entries(entries.map { (key: leaf($0.key), value: argument($0.value)) }, place)
    }

    /// The place of a value that is not text.
    var place: TextPlace { TextPlace(TextPosition(line: max(1, lines.count), column: 1)) }

    /// The text at a place, and the part of it, in Unicode scalars.
    func part(at place: TextPlace) -> (text: String, range: Range<Int>)? {
        guard lines.indices.contains(place.start.line - 1) else { return nil }
        let text = lines[place.start.line - 1]
        let count = text.unicodeScalars.count
        let start = min(place.start.column - 1, count)
        return (text, start..<min(count, start + place.length))
    }
}

extension Records {
    /// Adds a stage with a verb of pipeline files.
    func adding(
        _ verb: any Verb.Type, _ name: String?, pool: PoolOptions = PoolOptions(), onError: FailurePolicy = .deadLetter,
        options: (inout Script) -> Arguments = { _ in Arguments() }, _ argument: (inout Script) -> Argument
    ) -> Records {
        var script = Script()
        let value = argument(&script)
        let options = options(&script)
        return with {
            let draft = StageDraft(
                name: name, verb: verb.declaration.name, pool: pool, onError: onError, script: script, argument: value, options: options
            ) { checking in
                checking.admits(value, as: verb.declaration.argument) ? verb.init(value, options: options, &checking) : nil
            }
            $0.stages.append(draft)
        }
    }
}

extension Checking {
    /// Checks an argument given by a program against its shape: lists must not be empty, sets must
    /// not have duplicates. For a pipeline file, parsing checks this.
    mutating func admits(_ argument: Argument, as shape: ArgumentShape) -> Bool {
        switch (shape, argument) {
        case (.list(_, let isSet), .list(let elements, let place)):
            guard !elements.isEmpty else { return refuses("the list is empty", at: place) }
            var seen: [String] = []
            for leaf in elements.compactMap(\.leaf) {
                if isSet, leaf.text.index(in: seen) != nil { return refuses("lists '\(leaf.text)' twice", at: leaf.place) }
                seen.append(leaf.text)
            }
        case (.entries(let key, let value), .entries(let entries, let place)):
            guard !entries.isEmpty else { return refuses("the map is empty", at: place) }
            for entry in entries {
                let names = [(key, entry.key)] + (entry.value.leaf.map { [(value, $0)] } ?? [])
                for case (.newField, let leaf) in names where leaf.text.isEmpty { return refuses("a field name is empty", at: leaf.place) }
                if case .choice = value, !admits(entry.value, as: value) { return false }
            }
        case (.choice(let names), .leaf(let leaf)):
            guard leaf.text.index(in: names) != nil else {
                return refuses("'\(leaf.text)' is not one of: \(names.joined(separator: ", "))", at: leaf.place)
            }
        case (.integer(let range), .integer(let number, let place)), (.size(let range), .integer(let number, let place)):
            guard range.contains(number) else { return refuses("\(number) is not within \(range.lowerBound) to \(range.upperBound)", at: place) }
        case (.word(let word, let other), _): return argument.leaf?.text == word || admits(argument, as: other)
        case (.possiblyEmpty(let shape), _): return argument.list?.isEmpty == true || argument.entries?.isEmpty == true || admits(argument, as: shape)
        case (.short(let shape, _, let keys), _) where keys.isEmpty: return admits(argument, as: shape)
        case (.keys(let keys), .keys(let arguments)), (.short(_, _, let keys), .keys(let arguments)):
            return keys.allSatisfy { key in arguments[key.name].map { admits($0, as: key.shape) } ?? true }
        case (.format, .format(let format)), (.writtenFormat, .format(let format)):
            return format.options.map { admits(.keys($0), as: format.declaration.argument) } ?? true
        default: break
        }
        return true
    }

    private mutating func refuses(_ what: String, at place: TextPlace) -> Bool {
        report(what, at: place)
        return false
    }
}
