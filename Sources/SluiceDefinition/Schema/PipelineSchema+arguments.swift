internal import SluiceRecords

extension PipelineSchema {
    /// - Parameter besides: the keys of the map that contains the argument.
    static func node(_ shape: ArgumentShape, besides: [String] = []) -> SchemaNode {
        switch shape {
        case .expression, .condition, .text, .field: ref("text")
        case .newField: ["type": ["string", "number", "boolean"], "minLength": 1]
        case .name(let kind): name(kind)
        case .integer(let range): ["anyOf": [number(in: range), text(#"[+-]?[0-9]+"#), ref("parameter")]]
        case .countOrShare:
            ["anyOf": [number(in: 0...Int.max), text(#"none|[0-9]+|(100|[0-9]{1,2})(\.[0-9]+)? ?%"#), ref("parameter")]]
        case .size(let range):
            ["anyOf": [number(in: range), text("[0-9._]+ ?(\(Self.units(Amounts.sizeUnits)))"), ref("parameter")]]
        case .duration:
            ["anyOf": [text("[0._]*[1-9][0-9._]* ?(\(Amounts.durationUnits.sorted().joined(separator: "|")))"), ref("parameter")]]
        case .flag: choice(["true", "false"])
        case .choice(let names): choice(names)
        case .format where canBeNamedAlone(besides): format(among: Formats.all.map { $0.declaration }, besides: besides)
        case .format: ref("format")
        case .writtenFormat: ref("writtenFormat")
        case .list(let element, let isSet): list(of: element, isSet: isSet)
        case .possiblyEmpty(let shape): node(shape, besides: besides).without(["minItems", "minProperties"])
        case .word(let word, let other): ["anyOf": [choice([word]), node(other)]]
        case .entries(let key, let value): entries(key, value)
        case .keys(let keys): self.keys(keys.map { FileKey($0) })
        case .short(let shape, _, let keys): short(shape, keys)
        }
    }

    private static func number(in range: ClosedRange<Int>) -> SchemaNode {
        let node: SchemaNode = ["type": "integer", "minimum": .number(range.lowerBound)]
        return node.with("maximum", range.upperBound == .max ? nil : .number(range.upperBound))
    }

    private static func text(_ pattern: String) -> SchemaNode { ["type": "string", "pattern": .text("^(\(pattern))$")] }

    private static func name(_ kind: NameKind) -> SchemaNode {
        var plain: SchemaNode = ["type": ["string", "number", "boolean"], "pattern": .text(kind.pattern)]
        if !kind.taken.isEmpty { plain = plain.with("not", ["enum": .texts(kind.taken)]) }
        return ["anyOf": [plain, ref("parameter")]]
    }

    /// `[kK][iI][bB]` for `kib`: units of size are case-insensitive.
    private static func units(_ names: [String]) -> String {
        names.sorted().map { name in
            name.map { "[\($0)\($0.uppercased())]" }.joined()
        }.joined(separator: "|")
    }

    /// A word. YAML parses some as booleans or numbers.
    private static func choice(_ names: [String]) -> SchemaNode {
        let values = names.flatMap { name -> [SchemaNode] in
            if name == "true" || name == "false" { return [.flag(name == "true"), .text(name)] }
            return Int(name).map { [.number($0), .text(name)] } ?? [.text(name)]
        }
        return ["anyOf": [["enum": .list(values)], ref("parameter")]]
    }

    private static func list(of element: ArgumentShape, isSet: Bool) -> SchemaNode {
        let node: SchemaNode = ["type": "array", "minItems": 1, "items": self.node(element)]
        return node.with("uniqueItems", isSet ? true : nil)
    }

    private static func entries(_ key: ArgumentShape, _ value: ArgumentShape) -> SchemaNode {
        let node: SchemaNode = ["type": "object", "minProperties": 1, "additionalProperties": self.node(value)]
        if case .newField = key { return node.with("propertyNames", ["minLength": 1]) }
        return node
    }

    /// The shorthand, or the map that it stands for, if there is one. A list of one element may
    /// lack its brackets.
    private static func short(_ shape: ArgumentShape, _ keys: [ArgumentKey]) -> SchemaNode {
        var ways = [node(shape)]
        if case .list(let element, _) = shape { ways.insert(node(element), at: 0) }
        if !keys.isEmpty { ways.append(self.keys(keys.map { FileKey($0) })) }
        return ways.count == 1 ? ways[0] : ["anyOf": .list(ways)]
    }

    /// Whether the same map may contain an option that some format requires, so that its name alone
    /// is enough.
    private static func canBeNamedAlone(_ besides: [String]) -> Bool {
        Formats.all.contains { format in format.declaration.neededOptions.contains { besides.contains($0) } }
    }

    /// A format's name, or a map from its name to its options.
    ///
    /// - Parameter besides: keys of the same map, which may include options that the format
    ///   requires.
    static func format(among formats: [Declaration], besides: [String]) -> SchemaNode {
        let alone = formats.filter { format in format.neededOptions.allSatisfy { besides.contains($0) } }
        var ways: [SchemaNode] = [["enum": .texts(alone.flatMap { [$0.name] + $0.aliases })]]
        var maps: [SchemaNode.Member] = []
        for format in formats {
            guard case .keys(let keys) = format.argument, !keys.isEmpty else { continue }
            let about: SchemaNode = ["description": .text(format.summary)]
            for name in [format.name] + format.aliases {
                maps.append(.init(key: name, value: about.merging(self.keys(keys.map { FileKey($0) }))))
            }
        }
        if !maps.isEmpty {
            ways.append([
                "type": "object", "properties": .object(maps), "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
            ])
        }
        return ["anyOf": .list(ways + [ref("parameter")])]
    }
}

extension Declaration {
    /// The names of a format's required options.
    fileprivate var neededOptions: [String] {
        guard case .keys(let keys) = argument else { return [] }
        return keys.filter(\.isRequired).map(\.name)
    }
}
