internal import SluiceRecords

/// Parses a pipeline file from its YAML, and collects all errors.
struct DefinitionReading {
    private(set) var diagnostics: [DefinitionDiagnostic] = []
    var parameters = Parameters()

    mutating func report(_ message: String, at place: TextPlace?, fix: String? = nil, severity: DefinitionDiagnostic.Severity = .error) {
        diagnostics.append(DefinitionDiagnostic(message, at: place, fix: fix, severity: severity))
    }

    /// Reports unknown and missing keys of a map.
    mutating func check(_ map: YAMLMap, of owner: String, takes keys: [FileKey]) {
        let names = keys.map(\.name)
        for key in map.entries.map(\.key) where key.text.index(in: names) == nil {
            let hint = didYouMean(key.text, among: names)
            report("\(owner): unknown key '\(key.text)'\(hint)", at: key.place, fix: "expected one of: \(names.joined(separator: ", "))")
        }
        for key in keys where map[key.name] == nil {
            if let other = key.alternative, other.index(in: names) != nil {
                guard map[other] == nil else { continue }
                report("\(owner): '\(key.name)' is missing", at: map.place, fix: "add '\(key.example)', or '\(other)'")
            } else if key.isRequired {
                report("\(owner): '\(key.name)' is missing", at: map.place, fix: "add '\(key.example)'")
            }
        }
    }

    mutating func check(_ map: YAMLMap, of owner: String, takes keys: [ArgumentKey]) {
        check(map, of: owner, takes: keys.map { FileKey($0) })
    }

    mutating func map(_ node: YAMLNode, _ what: String, example: String) -> YAMLMap? {
        if case .map(let map) = node { return map }
        report("\(what) must be a map, not \(node.kind)", at: node.place, fix: "write '\(example)'")
        return nil
    }

    mutating func list(_ node: YAMLNode, _ what: String, example: String) -> [YAMLNode]? {
        if case .list(let list) = node { return list.elements }
        report("\(what) must be a list, not \(node.kind)", at: node.place, fix: "write '\(example)'")
        return nil
    }

    /// A list that may be empty, but not without its brackets: then its elements are probably
    /// indented wrong, or commented out.
    mutating func rows(_ node: YAMLNode, _ what: String, example: String) -> [YAMLNode]? {
        guard node.isNull else { return list(node, what, example: example) }
        report("\(what) has no value", at: node.place, fix: "write '\(example)', or '[]' for none")
        return nil
    }

    /// A scalar with its parameters substituted.
    mutating func text(_ node: YAMLNode, _ what: String, fix: String? = nil) -> Leaf? {
        guard case .leaf(let leaf) = node else {
            report("\(what) must be text, not \(node.kind)", at: node.place, fix: fix)
            return nil
        }
        guard !leaf.isNull else {
            report("\(what) has no value", at: leaf.place, fix: fix)
            return nil
        }
        return substituted(leaf)
    }

    /// As ``text(_:_:fix:)``, for values that are parsed at once: `nil` if a parameter in it has no
    /// value.
    private mutating func completeText(_ node: YAMLNode, _ what: String, fix: String) -> Leaf? {
        guard let leaf = text(node, what, fix: fix), leaf.isComplete else { return nil }
        return leaf
    }

    /// An expression: a scalar. The message has a hint on quoting, since YAML interprets `{` and
    /// `[`.
    mutating func expression(_ node: YAMLNode, _ what: String) -> Leaf? {
        let fix = "write a CEL expression; quote it if it begins with '{', '[' or a quote, or has a comma within braces"
        guard let leaf = text(node, what, fix: fix) else { return nil }
        let text = leaf.text.lowercased()
        guard leaf.isPlain, text == ".nan" || text == ".inf" || text == "-.inf" || text == "+.inf" else { return leaf }
        report(
            "\(what): '\(leaf.text)' is a number in YAML, but a field in an expression", at: leaf.place,
            fix: "write double('\(text.hasSuffix("nan") ? "NaN" : text.hasPrefix("-") ? "-inf" : "inf")')")
        return nil
    }

    mutating func integer(_ node: YAMLNode, _ what: String, in range: ClosedRange<Int>) -> Int? {
        let fix = "write a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let leaf = completeText(node, what, fix: fix) else { return nil }
        guard let number = Int(leaf.text), range.contains(number) else {
            report("\(what) cannot be '\(leaf.text)'", at: leaf.place, fix: fix)
            return nil
        }
        return number
    }

    mutating func size(_ node: YAMLNode, _ what: String, in range: ClosedRange<Int>) -> Placed<Int>? {
        guard let leaf = completeText(node, what, fix: Amounts.sizeFix) else { return nil }
        guard let bytes = Amounts.size(leaf.text) else {
            report("\(what): '\(leaf.text)' is not a size", at: leaf.place, fix: Amounts.sizeFix)
            return nil
        }
        guard range.contains(bytes) else {
            report(
                "\(what) cannot be '\(leaf.text)'", at: leaf.place,
                fix: "the value must be between \(Amounts.binary(range.lowerBound)) and \(Amounts.binary(range.upperBound))")
            return nil
        }
        return Placed(bytes, at: leaf.place)
    }

    /// A positive duration.
    mutating func duration(_ node: YAMLNode, _ what: String) -> Placed<Duration>? {
        guard let leaf = completeText(node, what, fix: Amounts.durationFix) else { return nil }
        guard let duration = Amounts.duration(leaf.text) else {
            report("\(what): '\(leaf.text)' is not a duration", at: leaf.place, fix: Amounts.durationFix)
            return nil
        }
        guard duration > .zero else {
            report("\(what) must be greater than zero", at: leaf.place, fix: Amounts.durationFix)
            return nil
        }
        return Placed(duration, at: leaf.place)
    }

    mutating func countOrShare(_ node: YAMLNode, _ what: String) -> Argument? {
        let fix = "write a number of records such as 100, a share such as 1%, or 'none' for no limit"
        guard let leaf = completeText(node, what, fix: fix) else { return nil }
        if leaf.text == "none" { return .leaf(leaf) }
        if let count = Int(leaf.text), count >= 0 { return .integer(count, leaf.place) }
        if let share = Amounts.share(leaf.text) { return .share(share, leaf.place) }
        report("\(what) cannot be '\(leaf.text)'", at: leaf.place, fix: fix)
        return nil
    }

    /// - Parameter owner: the thing that has the name, for messages about invalid names.
    mutating func name(_ node: YAMLNode, _ kind: NameKind, _ what: String, of owner: String) -> Leaf? {
        guard let name = text(node, what, fix: "use \(kind.rule)") else { return nil }
        guard name.isComplete else { return name }
        if !kind.admits(name.text) {
            report("\(owner): '\(name.text)' is not a valid name for a \(kind.rawValue)", at: name.place, fix: "use \(kind.rule)")
            return nil
        }
        if name.text.index(in: kind.taken) != nil {
            report(
                "\(owner): a \(kind.rawValue) cannot be called '\(name.text)'", at: name.place,
                fix: "use another name; this one is reserved for dead letters and reports")
        }
        return name
    }

    /// One of a fixed set of names.
    mutating func choice(_ node: YAMLNode, _ what: String, of names: [String]) -> Leaf? {
        let fix = "write one of: \(names.joined(separator: ", "))"
        guard let leaf = completeText(node, what, fix: fix) else { return nil }
        if names.contains(leaf.text) { return leaf }
        report("\(what) cannot be '\(leaf.text)'\(didYouMean(leaf.text, among: names))", at: leaf.place, fix: fix)
        return nil
    }
}
