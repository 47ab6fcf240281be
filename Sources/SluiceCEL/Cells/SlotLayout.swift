/// Which cell holds what: the fields in the order in which the expression names them, then what
/// else it reads.
struct SlotLayout: Sendable {
    private(set) var slots: [Slot]
    private(set) var record = -1
    private(set) var sourceFile = -1
    private(set) var sourceLine = -1
    private(set) var sourceOffset = -1

    init(fields: [String], root: Node) {
        slots = fields.map(Slot.field)
        add(root)
    }

    func field(_ index: Int) -> Int { index }

    /// The slot of `source.file` and so on; nil for other names.
    func sourcePart(_ name: String) -> Int? {
        switch name {
        case "file": sourceFile
        case "line": sourceLine
        case "offset": sourceOffset
        default: nil
        }
    }

    private mutating func add(_ node: Node) {
        switch node.kind {
        case .record: add(.record, at: \.record)
        case .source: addSource("file", "line", "offset")
        case .select(let operand, let name):
            if case .source = operand.kind, sourcePart(name) != nil {
                addSource(name)
            } else {
                add(operand)
            }
        default:
            for child in node.children { add(child) }
        }
    }

    private mutating func addSource(_ names: String...) {
        for name in names {
            switch name {
            case "file": add(.sourceFile, at: \.sourceFile)
            case "line": add(.sourceLine, at: \.sourceLine)
            default: add(.sourceOffset, at: \.sourceOffset)
            }
        }
    }

    private mutating func add(_ slot: Slot, at path: WritableKeyPath<SlotLayout, Int>) {
        guard self[keyPath: path] < 0 else { return }
        slots.append(slot)
        self[keyPath: path] = slots.count - 1
    }
}

extension Node {
    /// The direct children of this node.
    var children: [Node] {
        switch kind {
        case .constant, .field, .fieldOr, .fieldPresence, .optionalField, .record, .source, .local, .failure: []
        case .select(let operand, _), .optionalSelect(let operand, _), .presence(let operand, _): [operand]
        case .index(let operand, let key), .optionalIndex(let operand, let key): [operand, key]
        case .call(let call): call.arguments
        case .all(let operands), .any(let operands): operands
        case .conditional(let condition, let then, let otherwise): [condition, then, otherwise]
        case .list(let elements): elements.map(\.value)
        case .map(let entries): entries.flatMap { [$0.key, $0.value] }
        case .comprehension(let comprehension):
            [comprehension.range] + (comprehension.filter.map { [$0] } ?? []) + [comprehension.body]
        case .bind(_, let value, let body): [value, body]
        case .optionalMap(let operand, _, let body, _): [operand, body]
        }
    }
}
