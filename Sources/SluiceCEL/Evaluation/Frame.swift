/// The state of one evaluation.
struct Frame {
    /// The variables of macros.
    var locals: [Local]
    var meter: Meter
    let lookup: any FieldLookup
    /// Fields that a macro has read, by index: a list of the same field a thousand times shares one
    /// value.
    private var read: [Int: Value] = [:]
    private static let record = -1

    init(locals: [Local], meter: Meter, lookup: any FieldLookup) {
        self.locals = locals
        self.meter = meter
        self.lookup = lookup
    }

    /// A field, for expressions that read it for every element of a list or a map.
    mutating func shared(_ index: Int) throws(EvaluationError) -> Value? {
        if let value = read[index] { return value }
        let value = try lookup.field(index)
        read[index] = value
        return value
    }

    mutating func sharedRecord() throws(EvaluationError) -> Value {
        if let value = read[Self.record] { return value }
        let value = try lookup.record()
        read[Self.record] = value
        return value
    }
}

/// A variable of a macro.
enum Local {
    /// Bound, but not computed yet: what is never named is never computed.
    case pending
    case value(Value)
    case failed(EvaluationError)
}
