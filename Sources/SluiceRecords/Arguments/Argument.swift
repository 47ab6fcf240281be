/// A value at one place of a definition, parsed as its ``ArgumentShape`` says, with parameters
/// substituted.
package indirect enum Argument: Sendable {
    case leaf(Leaf)
    case integer(Int, TextPlace)
    case share(Double, TextPlace)
    case duration(Duration, TextPlace)
    case flag(Bool, TextPlace)
    case format(FormatArgument)
    case list([Argument], TextPlace)
    case entries([(key: Leaf, value: Argument)], TextPlace)
    case keys(Arguments)

    package var place: TextPlace {
        switch self {
        case .leaf(let leaf): leaf.place
        case .format(let format): format.name.place
        case .keys(let arguments): arguments.place
        case .integer(_, let place), .share(_, let place), .duration(_, let place), .flag(_, let place), .list(_, let place),
            .entries(_, let place):
            place
        }
    }

    package var leaf: Leaf? {
        guard case .leaf(let leaf) = self else { return nil }
        return leaf
    }

    package var integer: Int? {
        guard case .integer(let value, _) = self else { return nil }
        return value
    }

    package var share: Double? {
        guard case .share(let value, _) = self else { return nil }
        return value
    }

    package var duration: Duration? {
        guard case .duration(let value, _) = self else { return nil }
        return value
    }

    package var flag: Bool? {
        guard case .flag(let value, _) = self else { return nil }
        return value
    }

    package var list: [Argument]? {
        guard case .list(let elements, _) = self else { return nil }
        return elements
    }

    package var entries: [(key: Leaf, value: Argument)]? {
        guard case .entries(let entries, _) = self else { return nil }
        return entries
    }

    package var keys: Arguments? {
        guard case .keys(let arguments) = self else { return nil }
        return arguments
    }

    /// The texts of a list.
    package var leaves: [Leaf]? { list?.compactMap(\.leaf) }
}

/// The values of a map with known keys.
package struct Arguments: Sendable {
    package var values: [String: Argument]
    package var place: TextPlace

    package init(_ values: [String: Argument] = [:], at place: TextPlace = TextPlace(TextPosition(line: 1, column: 1))) {
        self.values = values
        self.place = place
    }

    package subscript(_ key: String) -> Argument? { values[key] }
}

/// A format's name and its options.
package struct FormatArgument: Sendable {
    package var name: Leaf
    package var declaration: Declaration
    package var options: Arguments?

    package init(name: Leaf, declaration: Declaration, options: Arguments? = nil) {
        self.name = name
        self.declaration = declaration
        self.options = options
    }
}
