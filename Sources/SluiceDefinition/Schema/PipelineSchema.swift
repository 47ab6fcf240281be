internal import SluiceRecords

/// The JSON Schema (2020-12) of pipeline files, derived from ``FileKeys`` and the tables of verbs,
/// formats, sources and sinks.
///
/// It accepts every file that can be run, and rejects most files with structural errors. Errors
/// that depend on expressions, fields or the file system are found only by checking the file. It
/// uses only keywords with the same meaning in draft 7, which editors support.
package enum PipelineSchema {
    package static func json() -> String { schema.json() + "\n" }

    static let schema = head.with("$defs", definitions).merging(keys(FileKeys.file))

    private static let head: SchemaNode = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sluice pipeline file",
    ]

    /// Matches text that refers to a parameter, so that only its value can be validated.
    static let reference = #"(^|[^$])\$\{"#

    private static let definitions: SchemaNode = [
        "text": ["description": "text; numbers and booleans are taken as written", "type": ["string", "number", "boolean"]],
        "parameter": ["description": "text that contains a parameter", "type": "string", "pattern": .text(reference)],
        "format": format(among: Formats.all.map { $0.declaration }, besides: []),
        "writtenFormat": format(among: Formats.writable.map { $0.declaration }, besides: []),
        "stage": one(of: FileKeys.verbs, with: FileKeys.stage),
    ]

    static func node(_ shape: FileShape) -> SchemaNode {
        switch shape {
        case .argument(let shape): node(shape)
        case .keys(let keys): self.keys(keys)
        case .list(let shape): ["type": "array", "items": node(shape)]
        case .oneOrMore(let shape): ["anyOf": [node(shape), ["type": "array", "minItems": 1, "items": node(shape)]]]
        case .one(let declarations, let keys): declarations.map(\.name) == Verbs.names ? ref("stage") : one(of: declarations, with: keys)
        case .parameters:
            [
                "type": ["object", "null"], "propertyNames": ["pattern": .text(NameKind.parameter.pattern)],
                "additionalProperties": ["type": ["string", "number", "boolean", "null"]],
            ]
        case .anything: [:]
        }
    }

    static func ref(_ name: String) -> SchemaNode { ["$ref": .text("#/$defs/\(name)")] }

    /// A map with known keys.
    static func keys(_ keys: [FileKey]) -> SchemaNode {
        let names = keys.map(\.name)
        let choices = keys.compactMap { key in key.alternative.map { [key.name, $0].filter(names.contains) } }
        let alone = choices.filter { $0.count == 1 }.flatMap(\.self)
        let node = SchemaNode.object([.init(key: "type", value: "object")])
            .with("properties", .object(keys.map { SchemaNode.Member(key: $0.name, value: property($0, besides: names)) }))
            .with("required", required(keys.filter(\.isRequired).map(\.name) + alone))
        return choices.filter { $0.count > 1 }.reduce(node) { node, choice in
            node.with("oneOf", .list(choice.map { ["required": .texts([$0])] }))
        }
        .with("additionalProperties", false)
    }

    private static func required(_ names: [String]) -> SchemaNode? { names.isEmpty ? nil : .texts(names) }

    /// - Parameter besides: the keys of the map that contains it.
    private static func property(_ key: FileKey, besides: [String]) -> SchemaNode {
        let value: SchemaNode
        if case .argument(let shape) = key.shape { value = node(shape, besides: besides) } else { value = node(key.shape) }
        let about: SchemaNode = ["description": .text("\(key.summary)\n\nExample: `\(key.example)`")]
        return about.with("default", key.defaultText.map { text in Int(text).map { .number($0) } ?? .text(text) }).merging(value)
    }

    private static func property(_ key: ArgumentKey, besides: [String]) -> SchemaNode { property(FileKey(key), besides: besides) }

    /// A map with the key of exactly one declaration, the options of that one, and further keys.
    private static func one(of declarations: [Declaration], with keys: [ArgumentKey]) -> SchemaNode {
        let options = declarations.flatMap { $0.options }
        let own = declarations.map { $0.key(isRequired: false) }
        let names = (own + options + keys).map(\.name)
        var members: [SchemaNode.Member] = []
        for key in own + options + keys where !members.contains(where: { $0.key == key.name }) {
            let same = options.filter { $0.name == key.name }.map { property($0, besides: names) }
            let isShared = Set(same).count > 1
            members.append(.init(key: key.name, value: isShared ? ["anyOf": .list(same)] : property(key, besides: names)))
        }
        let choice = declarations.map { ["required": .texts([$0.name])] as SchemaNode }
        let always = (declarations.count == 1 ? own : []) + keys.filter(\.isRequired)
        let bound = dependencies(declarations)
        let node: SchemaNode = ["type": "object", "properties": .object(members)]
        return node.with("required", required(always.map(\.name)))
            .with("oneOf", choice.count == 1 ? nil : .list(choice))
            .with("allOf", bound.isEmpty ? nil : .list(bound))
            .with("additionalProperties", false)
    }

    /// Options are allowed only next to their declaration's key, which in turn requires its
    /// required options.
    private static func dependencies(_ declarations: [Declaration]) -> [SchemaNode] {
        var rules: [SchemaNode] = []
        var seen: [String] = []
        for option in declarations.flatMap({ $0.options }) where !seen.contains(option.name) {
            seen.append(option.name)
            let owners = declarations.filter { $0.options.contains { $0.name == option.name } }
            let choice = owners.map { ["required": .texts([$0.name])] as SchemaNode }
            rules.append(["if": ["required": .texts([option.name])], "then": ["anyOf": .list(choice)]])
        }
        for declaration in declarations {
            guard let names = required(declaration.options.filter(\.isRequired).map(\.name)) else { continue }
            rules.append(["if": ["required": .texts([declaration.name])], "then": ["required": names]])
        }
        return rules
    }
}

extension SchemaNode {
    /// An object with the members of both.
    func merging(_ other: SchemaNode) -> SchemaNode {
        guard case .object(let members) = other else { return self }
        return members.reduce(self) { $0.with($1.key, $1.value) }
    }
}
