internal import SluiceRecords

/// The identity of a definition: every value of the file, with parameters substituted, regardless
/// of layout, comments, insignificant order of keys, the description and the tests.
struct DefinitionDigest {
    private var parameters: Parameters

    /// Keys of maps in which the order of entries is significant.
    private static let orderedKeys: [String] = Verbs.all.map { $0.declaration }.flatMap { $0.argument.orderedKeys(under: $0.name) }

    init(_ parameters: Parameters) {
        self.parameters = parameters
    }

    /// `sha256:` and 64 hexadecimal digits.
    func text(of root: YAMLNode) -> String {
        var canonical = ""
        write(root, under: nil, to: &canonical)
        for parameter in parameters.all.sorted(by: { $0.name.text < $1.name.text }) {
            canonical += "\n\(quoted(parameter.name.text))=\(quoted(parameter.text))"
        }
        return "sha256:" + Digest.of(canonical)
    }

    private func write(_ node: YAMLNode, under key: String?, to text: inout String) {
        switch node {
        case .leaf(let leaf):
            var reading = DefinitionReading()
            reading.parameters = parameters
            text += leaf.isNull ? "~" : quoted(reading.substituted(leaf).text)
        case .list(let list):
            text += "["
            for element in list.elements {
                write(element, under: nil, to: &text)
                text += ","
            }
            text += "]"
        case .map(let map):
            let isOrdered = key.map(Self.orderedKeys.contains) ?? false
            let entries = isOrdered ? map.entries : map.entries.sorted { $0.key.text < $1.key.text }
            text += "{"
            for entry in entries where key != nil || !["description", "tests", "params"].contains(entry.key.text) {
                text += quoted(entry.key.text) + ":"
                write(entry.value, under: entry.key.text, to: &text)
                text += ","
            }
            text += "}"
        }
    }

    /// The value preceded by its length, so that no value can look like structure.
    private func quoted(_ value: String) -> String { "\(value.utf8.count)'\(value)'" }
}

extension ArgumentShape {
    fileprivate func orderedKeys(under key: String) -> [String] {
        switch self {
        case .entries: [key]
        case .possiblyEmpty(let shape): shape.orderedKeys(under: key)
        case .keys(let keys), .short(_, _, let keys): keys.flatMap { $0.shape.orderedKeys(under: $0.name) }
        default: []
        }
    }
}
