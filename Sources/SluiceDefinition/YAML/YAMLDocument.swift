internal import SluiceCEL
internal import SluiceRecords
internal import Yams

/// The YAML document of a pipeline file, and its errors as YAML.
struct YAMLDocument {
    /// `nil` if the text is empty or not YAML.
    private(set) var root: YAMLNode?
    private(set) var diagnostics: [DefinitionDiagnostic] = []

    private let source: SourceText
    private var duplicates = DuplicateKeys()
    private var nodesLeft = YAMLDocument.nodeLimit

    /// The limit of nodes after aliases are resolved.
    static let nodeLimit = 100_000
    /// In bytes.
    static let sizeLimit = 1 << 20

    init(_ source: SourceText) {
        self.source = source
        let text = source.text
        guard text.utf8.count <= YAMLDocument.sizeLimit else {
            diagnostics.append(DefinitionDiagnostic("the file is longer than 1 MiB; is it a pipeline file?", at: nil))
            return
        }
        if let diagnostic = AliasLimit.diagnostic(for: source) {
            diagnostics.append(diagnostic)
            return
        }
        guard let node = composed(text) else { return }
        root = read(node)
        if nodesLeft <= 0 {
            root = nil
            diagnostics = [DefinitionDiagnostic("the aliases in this file expand to more than 100,000 values", at: nil, fix: AliasLimit.fix)]
        }
    }

    /// Parses the text. The parser stops at the first map with a duplicate key; such keys are
    /// renamed and the text is parsed again, to find all errors at once.
    private mutating func composed(_ text: String) -> Yams.Node? {
        var text = text
        // Types are read from the text of a scalar here. The regular expressions by which Yams
        // would recognize them take a millisecond to compile.
        let constructor = Yams.Constructor([:], [:], [:])
        while true {
            do {
                guard let node = try Yams.compose(yaml: text, .basic, constructor) else {
                    diagnostics.append(DefinitionDiagnostic("the file is empty", at: nil, fix: "start with 'name:', 'source:' and 'sink:'"))
                    return nil
                }
                return node
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let position = TextPosition(line: context.mark.line, column: context.mark.column)
                if let renamed = duplicates.rename(keyAt: position, in: source) {
                    text = renamed
                } else {
                    let name = names.first ?? ""
                    diagnostics.append(DefinitionDiagnostic("duplicate key '\(name)'", at: TextPlace(position, length: name.unicodeScalars.count)))
                    return nil
                }
            } catch {
                diagnostics.append(DefinitionDiagnostic(yamlError: error, source: source))
                return nil
            }
        }
    }

    private mutating func read(_ node: Yams.Node) -> YAMLNode {
        nodesLeft -= 1
        let start = node.mark.map { TextPosition(line: $0.line, column: $0.column) } ?? TextPosition(line: 1, column: 1)
        guard nodesLeft > 0 else { return .list(YAMLList(elements: [], place: TextPlace(start))) }
        switch node {
        case .scalar(let scalar):
            return .leaf(tagged(at: start) ?? leaf(scalar, at: start))
        case .sequence(let sequence):
            return .list(YAMLList(elements: sequence.map { read($0) }, place: TextPlace(start)))
        case .mapping(let mapping):
            return .map(map(mapping, at: start))
        case .alias:
            return .list(YAMLList(elements: [], place: TextPlace(start)))
        }
    }

    /// `keep: !has(record.a)`: in YAML, this is a tag with an empty value.
    ///
    /// - Returns: a leaf that causes no further messages.
    private mutating func tagged(at start: TextPosition) -> Leaf? {
        let index = source.index(of: start)
        guard index + 1 < source.scalars.count, source.scalars[index] == "!", source.scalars[index + 1] != "!" else { return nil }
        var text = String(String.UnicodeScalarView(source.line(start.line).unicodeScalars.dropFirst(start.column - 1)))
        while text.last == " " { text.removeLast() }
        var leaf = Leaf(text)
        leaf.isComplete = false
        // Aliases lead to the same node repeatedly.
        guard !diagnostics.contains(where: { $0.place?.start == start }) else { return leaf }
        diagnostics.append(
            DefinitionDiagnostic(
                "a value that begins with '!' needs quotes", at: TextPlace(start, length: text.unicodeScalars.count), fix: "write \"\(text)\""))
        return leaf
    }

    private mutating func map(_ mapping: Yams.Node.Mapping, at start: TextPosition) -> YAMLMap {
        var entries: [YAMLMap.Entry] = []
        var firstLines: [Name: Int] = [:]
        for (key, value) in mapping {
            guard case .leaf(var name) = read(key) else {
                let place = key.mark.map { TextPlace(TextPosition(line: $0.line, column: $0.column)) }
                diagnostics.append(DefinitionDiagnostic("a key must be text", at: place, fix: "quote it if it is an expression"))
                continue
            }
            if let original = duplicates.original(ofKeyAt: name.place.start, read: name.text) { name.text = original }
            if let line = firstLines[Name(name.text)] {
                diagnostics.append(
                    DefinitionDiagnostic(
                        "duplicate key '\(name.text)' (first on line \(line))", at: name.place, fix: "remove one of the two"))
            } else {
                firstLines[Name(name.text)] = name.place.start.line
                entries.append(YAMLMap.Entry(key: name, value: read(value)))
            }
        }
        let place = entries.first.map { TextPlace($0.key.place.start, length: $0.key.place.length) } ?? TextPlace(start)
        return YAMLMap(entries: entries, place: place)
    }

    private func leaf(_ scalar: Yams.Node.Scalar, at start: TextPosition) -> Leaf {
        let style: ScalarPositions.Style =
            switch scalar.style {
            case .singleQuoted: .singleQuoted
            case .doubleQuoted: .doubleQuoted
            case .literal, .folded: .block
            case .plain, .any: .plain
            }
        let positions = ScalarPositions.positions(of: scalar.string, style: style, start: start, in: source)
        return Leaf(text: scalar.string, isPlain: style == .plain, positions: positions)
    }
}

extension DefinitionDiagnostic {
    /// Formats an error of the YAML parser as one sentence.
    fileprivate init(yamlError error: any Error, source: SourceText) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let position = TextPosition(line: mark.line, column: mark.column)
            // Where it begins is often where the fault is.
            let begin = context.flatMap { $0.mark.line == mark.line ? nil : " that begins at \($0.mark.line):\($0.mark.column)" } ?? ""
            let during = context.map { " \($0.text)\(begin)" } ?? ""
            if let advice = YAMLAdvice(at: position, in: source) {
                self.init("this is not YAML: \(advice.message)", at: advice.place, fix: advice.fix)
                return
            }
            if problem.hasPrefix("Maximum nesting level") {
                self.init("it is nested too deeply", at: TextPlace(position), fix: "quote text that begins with '[' or '{'")
                return
            }
            self.init("this is not YAML: \(problem)\(during)", at: TextPlace(position), fix: DefinitionDiagnostic.fix(forYAMLProblem: problem))
        case YamlError.reader(let problem, let offset, _, _):
            let place = offset.map { TextPlace(source.position(at: $0)) }
            self.init("this is not YAML: \(problem)", at: place, fix: "save the file as UTF-8 without control characters")
        default:
            self.init("this is not YAML: \(error)", at: nil)
        }
    }

    private static func fix(forYAMLProblem problem: String) -> String? {
        if problem.contains("mapping values are not allowed") { return "quote text that contains ': '" }
        if problem.contains("unknown escape") {
            return "double a backslash within double quotes; in single quotes, or without quotes, it is literal"
        }
        if problem.contains("cannot start any token") { return "indent with spaces, and quote text that begins with a character such as @ ` % *" }
        if problem.contains("did not find expected ','") { return "within { } and [ ], quote text that has brackets, braces, a comma or ' : '" }
        if problem.contains("unexpected ':'") { return "write a blank after ':'" }
        if problem.contains("undefined alias") { return "quote text that begins with '*'" }
        if problem.contains("another document") { return "a pipeline file is a single YAML document: remove '---' and what follows it" }
        return nil
    }
}
