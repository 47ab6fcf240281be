import SluiceCEL

/// The expressions for the comparison with other implementations; `rivals.py` has the same
/// expressions and records.
let expressions = [
    "status >= 500",
    "status >= 500 && path.startsWith('/api')",
    "method in ['GET', 'HEAD'] && !agent.contains('bot')",
    "path.matches('^/api/v[0-9]+/users/[0-9]+$')",
    "duration_ms / 1000.0",
    "method + ' ' + path + ': ' + string(sent / 1024) + ' KiB'",
    "path.split('/')[1]",
]

func measureExpressions(containing filter: String) {
    print(padded("expression", 62), padded("ns a record", 13), padded("generic", 10), "true")
    for text in expressions where filter.isEmpty || text.contains(filter) {
        do {
            let program = try CellProgram(text)
            let records = Records(for: program)
            let scratch = Scratch()
            let fast = best(items: Records.count) { evaluateAll(program, records, scratch) }
            let generic = best(of: 3, items: Records.count) { evaluateGenerically(program, records, scratch) }
            precondition(fast.result == generic.result)
            print(padded(text, 62), padded(oneDecimal(fast.nanoseconds), 13), padded(oneDecimal(generic.nanoseconds), 10), fast.result)
        } catch {
            fatalError("\(text): \(error)")
        }
    }
}

@inline(never)
private func evaluateAll(_ program: CellProgram, _ records: Records, _ scratch: Scratch) -> Int {
    var hits = 0
    if program.type == .bool {
        for row in 0..<Records.count where program.test(records.row(row), scratch) == true { hits += 1 }
    } else {
        for row in 0..<Records.count where program.evaluate(records.row(row), scratch).kind != .error { hits += 1 }
    }
    scratch.reset()
    return hits
}

private struct RowLookup: FieldLookup {
    let cells: UnsafePointer<Cell>
    let scratch: Scratch

    func field(_ place: Int) throws(EvaluationError) -> Value? { try scratch.value(of: cells[place]) }
    func record() -> Value { .map(ValueMap()) }
    func source() -> Value { .map(ValueMap()) }
}

@inline(never)
private func evaluateGenerically(_ program: CellProgram, _ records: Records, _ scratch: Scratch) -> Int {
    var hits = 0
    for row in 0..<Records.count {
        switch program.program.evaluate(RowLookup(cells: records.row(row), scratch: scratch)) {
        case .success(.bool(let value)): hits += value ? 1 : 0
        case .success: hits += 1
        case .failure: continue
        }
    }
    return hits
}
