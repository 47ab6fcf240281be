package import SluiceCEL

/// The fields that records have at one place of the pipeline. Expressions there are checked against
/// it.
package enum Schema: Sendable {
    /// Fields are known only when a record is read, as in JSON.
    case open
    /// In the order in which they are written.
    case known([Field])

    package struct Field: Sendable {
        package var name: String
        package var type: CELType

        package init(name: String, type: CELType) {
            self.name = name
            self.type = type
        }
    }

    package var isOpen: Bool {
        guard case .open = self else { return false }
        return true
    }

    /// In order; empty where the schema is open.
    package var names: [String] {
        guard case .known(let fields) = self else { return [] }
        return fields.map(\.name)
    }

    /// The type of a field, `dyn` if unknown; `nil` if no record has the field.
    package func type(of name: String) -> CELType? {
        guard case .known(let fields) = self else { return .dyn }
        return fields.first { $0.name.isSame(as: name) }?.type
    }

    var scope: SluiceCEL.Environment.FieldScope {
        switch self {
        case .open: .open
        case .known(let fields): .known(Dictionary(fields.map { (Name($0.name), $0.type) }) { $1 })
        }
    }
}

extension Schema {
    package mutating func set(_ name: String, type: CELType) {
        guard case .known(var fields) = self else { return }
        let type = type.optionalValue
        if let index = fields.firstIndex(where: { $0.name.isSame(as: name) }) {
            fields[index].type = type
        } else {
            fields.append(Field(name: name, type: type))
        }
        self = .known(fields)
    }

    /// After a `select` the possible fields are known, whatever the format.
    package mutating func select(_ names: [String]) {
        switch self {
        case .known(let fields): self = .known(fields.filter { names.containsSame(as: $0.name) })
        case .open: self = .known(names.map { Field(name: $0, type: .dyn) })
        }
    }

    package mutating func remove(_ name: String) {
        guard case .known(let fields) = self else { return }
        self = .known(fields.filter { !$0.name.isSame(as: name) })
    }

    /// All renames happen at once: `{a: b, b: a}` swaps the two.
    package mutating func rename(_ names: [(old: String, new: String)]) {
        guard case .known(let fields) = self else { return }
        let moves = names.filter { move in
            !move.old.isSame(as: move.new) && fields.contains { $0.name.isSame(as: move.old) }
        }
        self = .known(
            fields.compactMap { field in
                if let move = moves.first(where: { $0.old.isSame(as: field.name) }) { return Field(name: move.new, type: field.type) }
                return moves.contains { $0.new.isSame(as: field.name) } ? nil : field
            })
    }
}

extension CELType {
    /// The type that is written where an optional has a value.
    var optionalValue: CELType {
        if case .opaque("optional_type", let parameters) = self { parameters.first ?? .dyn } else { self }
    }
}
