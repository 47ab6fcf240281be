/// Where a program finds the record that it is evaluated for.
public protocol FieldLookup {
    /// The value of the field at this index of ``Program/fields``; nil if the record has none.
    func field(_ index: Int) throws(EvaluationError) -> Value?

    /// The whole record as a map.
    func record() throws(EvaluationError) -> Value

    /// Where the record came from: a map of `file`, `line` and `offset`.
    func source() -> Value
}

/// A record given as a map, for occasional evaluation.
public struct MapLookup: FieldLookup {
    private let map: ValueMap
    private let fields: [String]
    private let origin: ValueMap

    public init(_ map: ValueMap, for program: Program, source: ValueMap = ValueMap()) {
        self.map = map
        fields = program.fields
        origin = source
    }

    public func field(_ index: Int) -> Value? { map[fields[index]] }
    public func record() -> Value { .map(map) }
    public func source() -> Value { .map(origin) }
}
