/// The position of a character in the pipeline file. Lines and columns count from 1; columns count
/// Unicode scalars, as in YAML.
package struct TextPosition: Hashable, Sendable, Comparable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A range within one line of the pipeline file.
package struct TextPlace: Hashable, Sendable {
    package var start: TextPosition
    /// In Unicode scalars; at least 1.
    package var length: Int

    package init(_ start: TextPosition, length: Int = 1) {
        self.start = start
        self.length = max(1, length)
    }
}

/// A value of the definition, and the place it was read from.
package struct Placed<Value: Sendable>: Sendable {
    package var value: Value
    package var place: TextPlace

    package init(_ value: Value, at place: TextPlace) {
        self.value = value
        self.place = place
    }
}

extension Placed: Equatable where Value: Equatable {}
