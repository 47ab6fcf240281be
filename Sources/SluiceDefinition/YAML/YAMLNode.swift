internal import SluiceRecords

/// A YAML document as this package reads it: every node with its place, aliases resolved, duplicate
/// keys already reported.
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

    /// For messages: `a list`.
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

    /// In the order of the file, no key twice.
    var entries: [Entry]
    var place: TextPlace

    subscript(_ key: String) -> YAMLNode? {
        entries.first { $0.key.text == key }?.value
    }
}
