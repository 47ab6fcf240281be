/// Where a program finds the record that it is evaluated for.
public protocol FieldLookup {
    /// The value of the field at a place of ``Program/fields``; nil where the record has none.
    func field(_ place: Int) throws(EvaluationError) -> Value?

    /// The whole record as a map.
    func record() throws(EvaluationError) -> Value

    /// Where the record came from: a map of `file`, `line` and `offset`.
    func source() -> Value
}
