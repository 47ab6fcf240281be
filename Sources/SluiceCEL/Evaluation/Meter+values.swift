extension Value {
    /// Charges for every part of a value; shared parts are charged each time they occur.
    func chargeAll(_ meter: inout Meter) throws(EvaluationError) {
        switch self {
        case .string(let text), .decimal(let text): try meter.charge(bytes: text.utf8.count)
        case .bytes(let bytes): try meter.charge(bytes: bytes.count)
        case .list(let values):
            try meter.charge(values.count)
            for value in values { try value.chargeAll(&meter) }
        case .map(let map):
            try meter.charge(map.count)
            for entry in map.entries { try entry.value.chargeAll(&meter) }
        case .optional(let value?): try value.chargeAll(&meter)
        default: break
        }
    }

    /// Charges for one value as the argument of a function.
    func charge(_ meter: inout Meter) throws(EvaluationError) {
        switch self {
        case .string(let text), .decimal(let text): try meter.charge(bytes: text.utf8.count)
        case .bytes(let bytes): try meter.charge(bytes: bytes.count)
        case .list(let values): try meter.charge(values.count)
        default: break
        }
    }
}
