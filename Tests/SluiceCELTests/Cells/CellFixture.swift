@testable import SluiceCEL

/// Reads only the JSON texts that it was given.
struct TableReader: CompositeReader {
    let values: [String: Value]

    func value(ofJSON text: UnsafeBufferPointer<UInt8>) throws(EvaluationError) -> Value {
        let text = String(decoding: text, as: UTF8.self)
        guard let value = values[text] else { throw EvaluationError(.invalidArgument, "unknown JSON \(text)") }
        return value
    }
}

/// Records in cells, for programs to read.
final class CellFixture {
    static let json: [String: Value] = [
        #"{"host":"a.example","port":8080,"tags":["x",1],"none":null}"#: .map([
            "host": .string("a.example"), "port": .int(8080), "tags": .list([.string("x"), .int(1)]), "none": .null,
        ]),
        #"[1,"two",3.5]"#: .list([.int(1), .string("two"), .double(3.5)]),
        "{}": .map(ValueMap()),
    ]

    let scratch = Scratch(reader: TableReader(values: json))
    private let arena = TextArena()
    private var cells: [Cell] = []

    func text(_ text: String) -> Cell { self.text(.string, text) }

    func text(_ kind: Cell.Kind, _ text: String) -> Cell {
        Array(text.utf8).withUnsafeBufferPointer { .text(kind, arena.copy($0), count: $0.count) }
    }

    /// Evaluates over `fields`; a slot without an entry there is absent.
    func evaluate(_ program: CellProgram, _ fields: [String: Cell], others: [Slot: Cell] = [:]) -> Result<Value, EvaluationError> {
        result(program, fields, others) { cells in
            let cell = program.evaluate(cells, scratch)
            if cell.kind == .absent { return .success(.optional(nil)) }
            return outcome(cell)
        }
    }

    func test(_ program: CellProgram, _ fields: [String: Cell]) -> Bool? {
        result(program, fields, [:]) { cells in program.test(cells, scratch) }
    }

    /// The same with the generic evaluator.
    func evaluateGenerically(
        _ program: CellProgram, _ fields: [String: Cell], others: [Slot: Cell] = [:]
    ) -> Result<Value, EvaluationError> {
        let layout = SlotLayout(fields: program.program.fields, root: program.program.root)
        return result(program, fields, others) { cells in
            program.program.evaluate(CellLookup(cells: cells, scratch: scratch, layout: layout))
        }
    }

    private func result<Outcome>(
        _ program: CellProgram, _ fields: [String: Cell], _ others: [Slot: Cell], _ evaluate: (UnsafePointer<Cell>) -> Outcome
    ) -> Outcome {
        cells = program.slots.map { slot in
            if case .field(let name) = slot { return fields[name] ?? .absent }
            return others[slot] ?? .absent
        }
        if cells.isEmpty { cells = [.absent] }
        return cells.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("never empty") }
            return evaluate(base)
        }
    }

    private func outcome(_ cell: Cell) -> Result<Value, EvaluationError> {
        do throws(EvaluationError) {
            return .success(try scratch.value(of: cell))
        } catch {
            return .failure(error)
        }
    }
}

/// Equal in type and value; NaN equals NaN.
func areSame(_ left: Result<Value, EvaluationError>, _ right: Result<Value, EvaluationError>) -> Bool {
    switch (left, right) {
    case (.success(let left), .success(let right)): left == right && left.type == right.type
    case (.failure(let left), .failure(let right)): left == right
    default: false
    }
}
