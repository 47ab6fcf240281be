/// Where a character of the pipeline file is. Lines and columns count from 1; columns count Unicode scalars, as YAML does.
public struct TextPosition: Hashable, Sendable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A stretch of one line of the pipeline file.
public struct Place: Hashable, Sendable {
    public var start: TextPosition
    /// In Unicode scalars; at least 1.
    public var length: Int

    public init(_ start: TextPosition, length: Int = 1) {
        self.start = start
        self.length = max(1, length)
    }
}

/// A value of the definition, and the text it was read from.
public struct Placed<Value: Sendable>: Sendable {
    public var value: Value
    public var place: Place

    public init(_ value: Value, at place: Place) {
        self.value = value
        self.place = place
    }
}

extension Placed: Equatable where Value: Equatable {}
