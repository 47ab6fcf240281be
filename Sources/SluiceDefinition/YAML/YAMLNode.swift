internal import SluiceRecords

/// A parsed YAML document: every node has its place, aliases are resolved, and duplicate keys were
/// reported.
enum YAMLNode: Sendable {
    case leaf(Leaf)
    case list(YAMLList)
    case map(YAMLMap)

    var place: TextPlace {
        switch self {
        case .leaf(let leaf): leaf.place
        case .list(let list): list.place
        case .map(let map): map.place
        }
    }

    /// A description for messages: `a list`.
    var kind: String {
        switch self {
        case .leaf(let leaf): leaf.isNull ? "nothing" : "text"
        case .list: "a list"
        case .map: "a map"
        }
    }

    var isNull: Bool {
        if case .leaf(let leaf) = self { leaf.isNull } else { false }
    }
}

struct YAMLList: Sendable {
    var elements: [YAMLNode]
    var place: TextPlace
}

struct YAMLMap: Sendable {
    struct Entry: Sendable {
        var key: Leaf
        var value: YAMLNode
    }

    /// In the order of the file, without duplicate keys.
    var entries: [Entry]
    var place: TextPlace

    subscript(_ key: String) -> YAMLNode? {
        entries.first { $0.key.text == key }?.value
    }
}
