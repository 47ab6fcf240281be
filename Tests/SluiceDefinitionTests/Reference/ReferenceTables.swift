import SluiceCEL
import SluiceRecords

@testable import SluiceDefinition

/// The tables of docs/pipeline-file.md, generated from the declarations.
enum ReferenceTables {
    /// The tables, keyed by the name in their markers.
    static let all: [(name: String, text: String)] = [
        (
            "file",
            keys(
                FileKeys.file,
                links: [
                    "params": "#parameters", "source": "#source", "stages": "#stages", "sink": "#sink", "routes": "#routes", "limits": "#limits",
                    "tests": "#tests",
                ])
        ),
        ("source", keys(FileKeys.sources.map { $0.key(isRequired: true) } + sourceOptions + FileKeys.source, links: ["format": "#formats"])),
        ("formats", formats),
        ("format-options", options(of: Formats.all.map { $0.declaration }, "format")),
        ("verbs", verbs),
        ("verb-keys", options(of: FileKeys.verbs, "verb")),
        ("aggregates", table(["aggregate", ""], Aggregates.reference.map { ["`\($0.example)`", $0.summary] })),
        ("stage-options", keys(FileKeys.stage)),
        ("stage-option-keys", options(of: FileKeys.stage.map { Declaration($0.name, "", argument: $0.shape, example: "") }, "option")),
        ("sink", sink),
        ("routes", keys(FileKeys.route, links: ["stages": "#stages", "sink": "#sink"])),
        ("limits", keys(FileKeys.limits)),
        ("tests", keys(FileKeys.test)),
        ("dead-letters-of-tests", keys(FileKeys.testDeadLetter)),
    ]

    /// The options of sources, each once.
    private static let sourceOptions = FileKeys.sources.flatMap(\.options).reduce(into: [ArgumentKey]()) { options, key in
        if !options.contains(where: { $0.name == key.name }) { options.append(key) }
    }

    private static func keys(_ keys: [ArgumentKey], links: [String: String] = [:]) -> String {
        Self.keys(keys.map { FileKey($0) }, links: links)
    }

    private static func keys(_ keys: [FileKey], links: [String: String] = [:]) -> String {
        table(["key", "value", "default", ""], keys.map { row($0, link: links[$0.name]) })
    }

    private static func row(_ key: FileKey, link: String? = nil) -> [String] {
        let about = link.map { "[\(key.summary)](\($0))" } ?? key.summary
        let kept = key.isRequired ? "required" : key.defaultText.map { "`\($0)`" } ?? ""
        return ["`\(key.name)`", words(key.shape), kept, about]
    }

    private static let formats = table(
        ["name", "reads", "fields", "a sink can write it", "example"],
        Formats.all.map { format in
            let declaration = format.declaration
            let names = ([declaration.name] + declaration.aliases).map { "`\($0)`" }.joined(separator: ", ")
            let endings = (format as? any WritableFormat.Type)?.fileExtensions.map { "`.\($0)`" }.joined(separator: ", ")
            return [names, declaration.summary, fields(of: format), endings.map { "yes; files called \($0)" } ?? "", "`\(declaration.example)`"]
        })

    /// Formats that have no options of their own.
    private static func fields(of format: any Format.Type) -> String {
        var checking = Checking(label: "")
        switch format.init(nil, &checking)?.schema {
        case .known(let fields)?: return "`" + fields.map(\.name).joined(separator: " ") + "`"
        case .open?: return "as given"
        case nil: return "as its options say"
        }
    }

    private static let verbs = table(
        ["verb", "argument", "does", "example"],
        FileKeys.verbs.map { ["`\($0.name)`", words($0.argument), $0.summary, "`\($0.example)`"] })

    private static let sink = table(
        ["key", "value", "default", ""],
        FileKeys.sinks.flatMap { sink in
            [row(FileKey(sink.key(isRequired: false)))] + sink.options.map { row(FileKey($0)) }
        } + FileKeys.sink.map { row(FileKey($0)) })

    /// The keys nested in the arguments of some declarations, and those next to the arguments.
    private static func options(of declarations: [Declaration], _ kind: String) -> String {
        table(
            [kind, "key", "value", "default", ""],
            declarations.flatMap { declaration in
                (declaration.argument.innerKeys + declaration.options).map { ["`\(declaration.name)`"] + row(FileKey($0)) }
            })
    }

    private static func table(_ titles: [String], _ rows: [[String]]) -> String {
        let lines = [titles, titles.map { _ in "---" }] + rows.map { $0.map { $0.replacing("|", with: "\\|") } }
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n").replacing("|  |", with: "| |") + "\n"
    }
}

// A short description of the accepted values.
extension ReferenceTables {
    static func words(_ shape: FileShape) -> String {
        switch shape {
        case .argument(let shape): words(shape)
        case .keys, .one, .parameters: "map"
        case .list(let shape): "list of \(plural(words(shape)))"
        case .oneOrMore(let shape): "\(words(shape)), or a list of \(plural(words(shape)))"
        case .anything: "anything"
        }
    }

    static func words(_ shape: ArgumentShape) -> String {
        switch shape {
        case .expression: "expression"
        case .condition: "condition"
        case .text: "text"
        case .name: "name"
        case .field, .newField: "field"
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .countOrShare: "number or share"
        case .size: "size"
        case .duration: "duration"
        case .flag: "`true` or `false`"
        case .choice(let names): choice(names)
        case .format: "format"
        case .writtenFormat: "format that can be written"
        case .list(.integer(let range), _): "list of numbers from \(range.lowerBound) to \(range.upperBound)"
        case .list(let element, _): "list of \(plural(words(element)))"
        case .possiblyEmpty(let shape): words(shape)
        case .entries(let key, .choice(let names)): "`\(key.placeholder("old")): value`, …, with the values \(choice(names))"
        case .word(let word, let other): "`\(word)`, or \(words(other))"
        case .entries(let key, let value): "`\(key.placeholder("old")): \(value.placeholder("new"))`, …"
        case .keys(let keys): keys.isEmpty ? "none" : "map"
        case .short(.list(.short(let element, _, let keys), _), _, _) where !keys.isEmpty: "\(words(element)) or map, or a list of these"
        case .short(.list(let element, _), _, let keys): "\(words(element)), or a list of \(plural(words(element)))" + (keys.isEmpty ? "" : ", or a map")
        case .short(let shape, _, let keys): keys.isEmpty ? words(shape) : "\(words(shape)), or a map"
        }
    }

    private static func plural(_ word: String) -> String { word.hasSuffix("thing") ? word : word + "s" }

    /// `a`, `b` or `c`; a range of digits by its first and last.
    private static func choice(_ names: [String]) -> String {
        var shown = names.map { "`\($0)`" }
        let digits = names.filter { Int($0) != nil }
        if digits.count > 3, Array(names.suffix(digits.count)) == digits, let first = digits.first, let last = digits.last {
            shown = names.dropLast(digits.count).map { "`\($0)`" } + ["`\(first)` to `\(last)`"]
        }
        return shown.count < 2 ? shown.joined() : shown.dropLast().joined(separator: ", ") + " or " + (shown.last ?? "")
    }
}

extension ArgumentShape {
    /// The keys of the map, if one is accepted.
    fileprivate var innerKeys: [ArgumentKey] {
        switch self {
        case .keys(let keys), .short(_, _, let keys): keys
        default: []
        }
    }

    /// The placeholder for the value in an entry.
    fileprivate func placeholder(_ field: String) -> String {
        switch self {
        case .field, .newField: field == "old" && isNew ? "field" : field
        default: ReferenceTables.words(self)
        }
    }

    private var isNew: Bool {
        if case .newField = self { return true }
        return false
    }
}
