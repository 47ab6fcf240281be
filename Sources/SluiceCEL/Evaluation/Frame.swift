/// The state of one evaluation.
struct Frame {
    /// The variables of macros.
    var locals: [Local]
    var meter: Meter
    let lookup: any FieldLookup
}

/// A variable of a macro.
enum Local {
    /// Bound, but not computed yet: what is never named is never computed.
    case pending
    case value(Value)
    case failed(EvaluationError)
}
