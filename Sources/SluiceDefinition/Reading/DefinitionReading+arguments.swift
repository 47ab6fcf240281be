internal import SluiceRecords

extension DefinitionReading {
    /// Parses the value at one place as its shape says, and reports errors.
    ///
    /// - Parameters:
    ///   - what: the subject of messages: `keep 'errors'`, `sink: 'level'`.
    ///   - example: an example of the syntax.
    mutating func argument(_ node: YAMLNode, as shape: ArgumentShape, _ what: String, example: String) -> Argument? {
        switch shape {
        case .expression, .condition: return expression(node, what).map(Argument.leaf)
        case .text, .field: return text(node, what, fix: "write '\(example)'").map(Argument.leaf)
        case .name(let kind): return name(node, kind, what, of: what).map(Argument.leaf)
        case .newField: return newField(node, what, example: example).map(Argument.leaf)
        case .integer(let range): return integer(node, what, in: range).map { .integer($0, node.place) }
        case .countOrShare: return countOrShare(node, what)
        case .size(let range): return size(node, what, in: range).map { .integer($0.value, $0.place) }
        case .duration: return duration(node, what).map { .duration($0.value, $0.place) }
        case .flag: return choice(node, what, of: ["true", "false"]).map { .flag($0.text == "true", $0.place) }
        case .choice(let names): return choice(node, what, of: names).map(Argument.leaf)
        case .format: return format(node, what).map(Argument.format)
        case .writtenFormat: return writtenFormat(node, what).map(Argument.format)
        case .list(let element, let isSet): return list(node, of: element, isSet: isSet, what, example: example)
        case .possiblyEmpty(let shape):
            switch (shape, node) {
            case (.entries, .map(let map)) where map.entries.isEmpty: return .entries([], node.place)
            case (.short, .list(let list)) where list.elements.isEmpty: return .list([], node.place)
            default: return argument(node, as: shape, what, example: example)
            }
        case .word(let word, let other):
            guard case .leaf(let value) = node, !value.isNull, let leaf = text(node, what) else {
                return argument(node, as: other, what, example: example)
            }
            if leaf.text == word || !leaf.isComplete { return .leaf(leaf) }
            let hint = didYouMean(leaf.text, among: [word])
            guard !hint.isEmpty else { return argument(node, as: other, what, example: example) }
            report("\(what) cannot be '\(leaf.text)'\(hint)", at: leaf.place, fix: "write '\(word)', or as in '\(example)'")
            return nil
        case .entries(let key, let value): return entries(node, key: key, value: value, what, example: example)
        case .keys(let keys): return self.keys(node, keys, what, example: example).map(Argument.keys)
        case .short(let shape, let key, let keys): return short(node, shape, for: key, in: keys, what, example: example)
        }
    }

    /// The values of a map with known keys. Reports unknown and missing ones.
    mutating func arguments(_ map: YAMLMap, _ keys: [ArgumentKey], of owner: String) -> Arguments? {
        check(map, of: owner, takes: keys)
        return values(of: map, keys, of: owner)
    }

    /// As ``arguments(_:_:of:)``, but ignores other keys of the map.
    mutating func values(of map: YAMLMap, _ keys: [ArgumentKey], of owner: String) -> Arguments? {
        var values: [String: Argument] = [:]
        var isWhole = true
        for key in keys {
            values[key.name] = value(of: map, key, of: owner)
            isWhole = isWhole && (values[key.name] != nil || (map[key.name] == nil && !key.isRequired))
        }
        return isWhole ? Arguments(values, at: map.place) : nil
    }

    /// The value of a key, if it is present and can be parsed.
    mutating func value(of map: YAMLMap, _ key: ArgumentKey, of owner: String) -> Argument? {
        map[key.name].flatMap { argument($0, as: key.shape, "\(owner): '\(key.name)'", example: key.example) }
    }

    private mutating func newField(_ node: YAMLNode, _ what: String, example: String) -> Leaf? {
        guard let leaf = text(node, what, fix: "write '\(example)'") else { return nil }
        if leaf.text.isEmpty, leaf.isComplete { report("\(what): a field name is empty", at: leaf.place) }
        return leaf
    }

    private mutating func list(_ node: YAMLNode, of shape: ArgumentShape, isSet: Bool, _ what: String, example: String) -> Argument? {
        guard let nodes = list(node, what, example: example) else { return nil }
        if nodes.isEmpty { report("\(what) is empty", at: node.place, fix: "write '\(example)'") }
        let elements = nodes.compactMap { argument($0, as: shape, what, example: example) }
        if isSet {
            var seen: [String] = []
            for leaf in elements.compactMap(\.leaf) {
                if leaf.text.index(in: seen) != nil { report("\(what) lists '\(leaf.text)' twice", at: leaf.place, fix: "remove one of them") }
                seen.append(leaf.text)
            }
        }
        return nodes.isEmpty || elements.count < nodes.count ? nil : .list(elements, node.place)
    }

    private mutating func entries(
        _ node: YAMLNode, key: ArgumentShape, value: ArgumentShape, _ what: String, example: String
    ) -> Argument? {
        guard let map = map(node, what, example: example) else { return nil }
        if map.entries.isEmpty { report("\(what) is empty", at: node.place, fix: "write '\(example)'") }
        var entries: [(key: Leaf, value: Argument)] = []
        for entry in map.entries {
            if case .newField = key, entry.key.text.isEmpty { report("\(what): a field name is empty", at: entry.key.place) }
            if let value = argument(entry.value, as: value, "\(what): '\(entry.key.text)'", example: example) {
                entries.append((entry.key, value))
            }
        }
        return entries.isEmpty || entries.count < map.entries.count ? nil : .entries(entries, node.place)
    }

    private mutating func keys(_ node: YAMLNode, _ keys: [ArgumentKey], _ what: String, example: String) -> Arguments? {
        guard let map = map(node, what, example: example) else { return nil }
        return arguments(map, keys, of: Self.owner(what))
    }

    /// The owner of a map's keys, for messages: `keep: retry` for `keep: 'retry'`.
    private static func owner(_ what: String) -> String {
        guard what.hasSuffix("'"), let colon = what.lastIndex(of: ":"), what[colon...].hasPrefix(": '") else { return what }
        return what[..<colon] + ": " + what[colon...].dropFirst(3).dropLast()
    }

    /// Parses the shorthand, or the map that it stands for.
    private mutating func short(
        _ node: YAMLNode, _ shape: ArgumentShape, for key: String, in keys: [ArgumentKey], _ what: String, example: String
    ) -> Argument? {
        if case .map = node, !keys.isEmpty { return self.keys(node, keys, what, example: example).map(Argument.keys) }
        // A list of one element may be written without brackets.
        var value: Argument?
        if case .list(let element, _) = shape, element.takes(node) {
            value = argument(node, as: element, what, example: example).map { .list([$0], node.place) }
        } else if case .list = shape, case .map = node {
            report("\(what) must be text or a list, not a map", at: node.place, fix: "write '\(example)'")
        } else {
            value = argument(node, as: shape, what, example: example)
        }
        return keys.isEmpty ? value : value.map { .keys(Arguments([key: $0], at: node.place)) }
    }
}

extension ArgumentShape {
    /// Whether a single element of this shape, and not a list, is written as such a value.
    fileprivate func takes(_ node: YAMLNode) -> Bool {
        switch node {
        case .leaf: true
        case .map: if case .short(_, _, let keys) = self { !keys.isEmpty } else { false }
        case .list: false
        }
    }
}

// Formats: a name, or a map from one name to its options.
extension DefinitionReading {
    mutating func format(_ node: YAMLNode, _ what: String) -> FormatArgument? {
        format(node, what, among: Formats.allNames) { name in
            let fix = "this version reads: \(Formats.names.joined(separator: ", "))"
            return Formats.named(name).map { .success($0) } ?? .failure(FormatRefusal(unknown: name, fix: fix))
        }
    }

    mutating func writtenFormat(_ node: YAMLNode, _ what: String) -> FormatArgument? {
        format(node, what, among: Formats.allNames) { name in
            let fix = "this version writes: \(Formats.writableNames.joined(separator: ", "))"
            guard let format = Formats.named(name) else { return .failure(FormatRefusal(unknown: name, fix: fix)) }
            guard format is any WritableFormat.Type else {
                return .failure(FormatRefusal(reason: "the format '\(name)' can be read but not written", fix: fix))
            }
            return .success(format)
        }
    }

    private struct FormatRefusal: Error {
        var reason: String
        var fix: String
        /// Whether it may be a misspelt name.
        var isUnknown = false

        init(reason: String, fix: String) {
            self.reason = reason
            self.fix = fix
        }

        /// - Parameter fix: for a name that other programs do not use either.
        init(unknown name: String, fix: String) {
            guard let meant = Formats.all.first(where: { $0.declaration.elsewhere.contains(name.lowercased()) })?.declaration else {
                self.init(reason: "no such format '\(name)'", fix: fix)
                isUnknown = true
                return
            }
            self.init(reason: "no such format '\(name)'; use '\(meant.name)'", fix: "write '\(meant.example)'")
        }
    }

    private mutating func format(
        _ node: YAMLNode, _ what: String, among names: [String], _ find: (String) -> Result<any Format.Type, FormatRefusal>
    ) -> FormatArgument? {
        let owner = what.hasSuffix(": 'format'") ? String(what.dropLast(10)) : what
        var name: Leaf
        var options: YAMLNode?
        if case .map(let map) = node {
            guard let entry = map.entries.first, map.entries.count == 1 else {
                report("\(owner): 'format' must name exactly one format", at: map.place, fix: "write '{name: {option: …}}'")
                return nil
            }
            (name, options) = (entry.key, entry.value)
        } else {
            guard let leaf = text(node, what) else { return nil }
            name = leaf
        }
        guard name.isComplete else { return nil }
        switch find(name.text) {
        case .failure(let refusal):
            let hint = refusal.isUnknown ? didYouMean(name.text, among: names) : ""
            report("\(owner): \(refusal.reason)\(hint)", at: name.place, fix: refusal.fix)
            return nil
        case .success(let format):
            return formatArgument(format.declaration, name, options, owner)
        }
    }

    private mutating func formatArgument(_ declaration: Declaration, _ name: Leaf, _ node: YAMLNode?, _ owner: String) -> FormatArgument? {
        guard case .keys(let keys) = declaration.argument else { return FormatArgument(name: name, declaration: declaration) }
        guard let node else { return FormatArgument(name: name, declaration: declaration) }
        guard !keys.isEmpty else {
            report("\(owner): the format '\(name.text)' takes no options", at: name.place, fix: "write 'format: \(name.text)'")
            return nil
        }
        guard let map = map(node, "\(owner): '\(name.text)'", example: declaration.example) else { return nil }
        return arguments(map, keys, of: "\(owner): \(name.text)").map { FormatArgument(name: name, declaration: declaration, options: $0) }
    }
}
