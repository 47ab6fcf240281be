internal import FoundationEssentials
internal import SluiceCEL
internal import SluiceRecords

extension PipelineBuilding {
    /// - Parameter schema: the fields before the stage; behind it when this returns.
    mutating func buildVerb(_ verb: VerbDefinition, label: String, schema: inout Schema) -> Verb? {
        switch verb {
        case .keep(let leaf): return condition(leaf, label, in: schema).map { .keep($0) }
        case .drop(let leaf): return condition(leaf, label, in: schema).map { .drop($0) }
        case .set(let assignments): return buildSet(assignments, label: label, schema: &schema)
        case .select(let leaves):
            checkFields(leaves, label, in: schema)
            let names = leaves.map(\.text)
            schema.select(names)
            return .select(names)
        case .remove(let leaves):
            checkFields(leaves, label, in: schema)
            for leaf in leaves { schema.remove(leaf.text) }
            return .remove(leaves.map(\.text))
        case .rename(let renamings):
            checkFields(renamings.map(\.old), label, in: schema)
            for renaming in renamings { schema.rename(renaming.old.text, to: renaming.new.text) }
            return .rename(renamings.map { ($0.old.text, $0.new.text) })
        case .parse(let parse): return buildParse(parse, label: label, schema: &schema)
        case .exec(let leaves):
            schema = .open
            if let command = leaves.first, command.isComplete { checkCommand(command, label: label) }
            return .exec(leaves.map(\.text))
        }
    }

    private mutating func buildSet(_ assignments: [VerbDefinition.Assignment], label: String, schema: inout Schema) -> Verb? {
        var built: [(field: String, value: CellProgram)] = []
        for assignment in assignments {
            let field = assignment.field.text
            let program = program(assignment.value, "\(label): '\(field)'", in: schema)
            schema.set(field, type: program?.type ?? .dyn)
            if let program { built.append((field, program)) }
        }
        return built.count == assignments.count ? .set(built) : nil
    }

    private mutating func buildParse(_ parse: ParseDefinition, label: String, schema: inout Schema) -> Verb? {
        checkFields([parse.field], label, in: schema)
        let format = parse.format.flatMap { buildFormat($0, label: label) }
        if let into = parse.into {
            schema.set(into.text, type: .dyn)
        } else if case .known(let fields) = format?.schema {
            for field in fields { schema.set(field.name, type: field.type) }
        } else {
            schema = .open
        }
        return format.map { .parse(field: parse.field.text, format: $0, into: parse.into?.text) }
    }

    mutating func buildFormat(_ definition: FormatDefinition, label: String) -> Format? {
        switch definition.name {
        case .jsonl: return .jsonl
        case .combined: return .combined
        case .common: return .common
        case .lines: return .lines
        case .regex: return buildRegex(definition, label: label)
        // Refused when the definition was read.
        case .csv, .tsv, .logfmt, .syslog: return nil
        }
    }

    private mutating func buildRegex(_ definition: FormatDefinition, label: String) -> Format? {
        guard let text = definition.pattern else {
            let fix = label == "source" ? #"write 'format: {regex: {pattern: '^(?P<host>\S+)'}}'"# : #"add a key 'pattern': '^(?P<host>\S+)'"#
            report("\(label): the format 'regex' needs a pattern", at: definition.place, fix: fix)
            return nil
        }
        guard text.isComplete else { return nil }
        do throws(PatternError) {
            let pattern = try Pattern(text.text)
            if pattern.groupNames.contains(where: { $0 != nil }) { return .regex(pattern) }
            report("\(label): the pattern names no group, so it makes no field", at: text.place, fix: "write (?P<name>…) around what you want")
        } catch {
            report(
                "\(label): the pattern is no regular expression: \(error.message)", at: text.place,
                fix: "RE2's syntax: https://github.com/google/re2/wiki/Syntax")
        }
        return nil
    }

    /// A command is a path, or a name in one of the folders of `PATH`.
    private mutating func checkCommand(_ leaf: Leaf, label: String) {
        let command = leaf.text
        let isThere: Bool
        if command.contains("/") {
            isThere = FileManager.default.isExecutableFile(atPath: command)
        } else {
            let folders = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
            isThere = folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(command)") }
        }
        guard !isThere else { return }
        let fix = command.contains("/") ? "relative paths start from the current folder; the file must be executable" : "install it, or write its path"
        report("\(label): no such command '\(command)'", at: leaf.place, fix: fix)
    }
}

extension Schema {
    mutating func set(_ name: String, type: CELType) {
        guard case .known(var fields) = self else { return }
        let type = type.optionalValue
        if let index = fields.firstIndex(where: { $0.name == name }) {
            fields[index].type = type
        } else {
            fields.append(Field(name: name, type: type))
        }
        self = .known(fields)
    }

    /// After a `select` it is known which fields there may be, whatever the format.
    mutating func select(_ names: [String]) {
        switch self {
        case .known(let fields): self = .known(fields.filter { names.contains($0.name) })
        case .open: self = .known(names.map { Field(name: $0, type: .dyn) })
        }
    }

    mutating func remove(_ name: String) {
        guard case .known(let fields) = self else { return }
        self = .known(fields.filter { $0.name != name })
    }

    mutating func rename(_ old: String, to new: String) {
        guard case .known(var fields) = self, old != new, fields.contains(where: { $0.name == old }) else { return }
        fields.removeAll { $0.name == new }
        for index in fields.indices where fields[index].name == old { fields[index].name = new }
        self = .known(fields)
    }
}

extension CELType {
    /// What is written where an optional has a value.
    fileprivate var optionalValue: CELType {
        if case .opaque("optional_type", let parameters) = self { parameters.first ?? .dyn } else { self }
    }
}
