import SluiceCEL

/// The value of an expression for a record, as the language writes it, or the error with its code.
func evaluated(_ text: String, _ record: ValueMap = [:], in environment: Environment = Environment()) -> String {
    do {
        let program = try Program(text, in: environment)
        switch program.evaluate(MapLookup(record, for: program)) {
        case .success(let value): return value.description
        case .failure(let error): return "\(error.code.rawValue): \(error.message)"
        }
    } catch {
        return "does not compile: \(error.all.map(\.description).joined(separator: " | "))"
    }
}

/// The problems found in an expression before evaluation, each with the text that it points at.
func problems(_ text: String, in environment: Environment = Environment()) -> [String] {
    do {
        _ = try Program(text, in: environment)
        return []
    } catch {
        return error.all.map { diagnostic in
            let part = String(decoding: Array(text.utf8)[diagnostic.range], as: UTF8.self)
            return "\(part) – \(diagnostic)"
        }
    }
}
