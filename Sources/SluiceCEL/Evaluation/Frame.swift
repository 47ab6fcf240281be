/// The state of one evaluation.
struct Frame {
    /// The variables of macros.
    var locals: [Value]
    var meter: Meter
    let lookup: any FieldLookup
}
