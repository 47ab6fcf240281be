public import Sluice
package import SluiceCEL

/// `lookup`: adds fields from a table to each record, by a key.
package struct Lookup: Verb {
    package static let declaration = Declaration(
        "lookup", "adds fields from the row of a table that has the record's key",
        argument: .keys([
            ArgumentKey("file", .text, isRequired: true, example: "file: teams.csv", "the table, which is read once, before the run"),
            ArgumentKey("format", .format, example: "format: csv", "its format; by default derived from its name"),
            ArgumentKey("table", .text, example: "table: teams", "for a SQLite database: the table or view; may be left out if there is only one"),
            ArgumentKey("key", .expression, isRequired: true, example: "key: ip", "the key to look up"),
            ArgumentKey(
                "column",
                .short(
                    .text, for: "value",
                    in: [
                        ArgumentKey("value", .text, example: "value: id", "the column that equals the key"),
                        ArgumentKey(
                            "network", .text, example: "network: cidr",
                            "a column of networks (`10.0.0.0/8`) and addresses: the longest network that contains the key"),
                    ]), isRequired: true, example: "column: id", "the column that holds the key"),
            ArgumentKey("as", .newField, example: "as: owner", "a single field for the columns, as a map"),
            ArgumentKey("select", .list(.text, isSet: true), example: "select: [team]", "the columns to add; by default all but the key's"),
            ArgumentKey(
                "missing", .choice(["keep", "dead_letter", "drop"]), default: "keep", example: "missing: drop",
                "what happens to a record whose key is not in the table"),
        ]),
        example: "lookup: {file: teams.csv, key: team_id, column: id}",
        elsewhere: ["join", "enrich", "vlookup"])

    enum Missing: String, Sendable {
        case keep
        case deadLetter = "dead_letter"
        case drop
    }

    private let table: LookupTable
    private let key: CellProgram
    private let target: String?
    private let missing: Missing

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys, let file = keys["file"]?.leaf, file.isComplete, let leaf = keys["key"]?.leaf else { return nil }
        let key = checking.program(leaf, "'key'")
        guard let column = Self.column(keys["column"], &checking) else { return nil }
        let isDatabase = keys["table"] != nil || SQLiteDatabase.isDatabase(file.text)
        if isDatabase, case .format(let format)? = keys["format"] {
            checking.report("'format' is for text, and '\(file.text)' is a SQLite database", at: format.name.place, fix: "remove 'format'")
            return nil
        }
        let format = isDatabase ? nil : Self.format(keys["format"], file, &checking)
        guard isDatabase || format != nil else { return nil }
        let table: LookupTable
        do throws(LookupTable.Fault) {
            let rows: LookupTable.Rows
            if let format {
                rows = try LookupTable.rows(of: file.text, format)
            } else {
                rows = try LookupTable.rows(of: file.text, table: keys["table"]?.leaf?.text)
            }
            table = try LookupTable(file.text, rows, column.kind, selected: keys["select"]?.leaves?.map(\.text), asMap: keys["as"] != nil)
        } catch {
            let place =
                switch error.part {
                case .file: file.place
                case .column: column.leaf.place
                case .table: keys["table"]?.place ?? file.place
                case .select(let name): keys["select"]?.leaves?.first { $0.text.isSame(as: name) }?.place ?? file.place
                }
            checking.report(error.message, at: place, fix: error.fix)
            checking.fields = .open
            return nil
        }
        guard let key, Self.areComparable(key, column, table, leaf, &checking) else { return nil }
        self.key = key
        self.table = table
        target = keys["as"]?.leaf?.text
        missing = keys["missing"]?.leaf.flatMap { Missing(rawValue: $0.text) } ?? .keep
        if let target {
            checking.fields.set(target, type: checking.fields.type(of: target) == nil ? .map(.string, .dyn) : .dyn)
        } else {
            for name in table.added { checking.fields.set(name, type: .dyn) }
        }
    }

    private static func column(_ argument: Argument?, _ checking: inout Checking) -> (kind: LookupTable.Key, leaf: Leaf)? {
        guard let keys = argument?.keys else { return nil }
        switch (keys["value"]?.leaf, keys["network"]?.leaf) {
        case (let leaf?, nil): return (.value(leaf.text), leaf)
        case (nil, let leaf?): return (.network(leaf.text), leaf)
        default:
            checking.report("'column' must name exactly one column", at: keys.place, fix: "write 'column: id', or 'column: {network: cidr}'")
            return nil
        }
    }

    private static func format(_ argument: Argument?, _ file: Leaf, _ checking: inout Checking) -> (any Format)? {
        guard case .format(let named)? = argument else {
            if let ending = FileName(file.text).fileExtension, let known = Formats.forFile(endingIn: ending) { return known.init(nil, &checking) }
            checking.report("the name '\(file.text)' does not tell its format", at: file.place, fix: "add 'format: …'")
            return nil
        }
        guard let format = Formats.make(named, &checking) else { return nil }
        let count = checking.diagnostics.count
        format.checkReading(&checking)
        return checking.diagnostics.count == count ? format : nil
    }

    /// Text never equals a number, so a table of text with a key of another type is an error.
    private static func areComparable(
        _ key: CellProgram, _ column: (kind: LookupTable.Key, leaf: Leaf), _ table: LookupTable, _ leaf: Leaf, _ checking: inout Checking
    ) -> Bool {
        let type = key.type.optionalValue
        switch column.kind {
        case .network:
            guard [.dyn, .string, .ip].contains(type) else {
                checking.report("'key' is of type \(type), not an address", at: leaf.place)
                return false
            }
        case .value(let name):
            guard [.int, .uint, .double].contains(type), table.holdsTextOnly else { return true }
            checking.report(
                "'key' is of type \(type), but '\(name)' in '\(table.file)' is text", at: leaf.place,
                fix: "write 'string(\(key.text))', or give the column a type ('types')")
            return false
        }
        return true
    }

    package var reads: [String] { key.fieldNames }
    package var mentions: [String] { key.fieldNames + (target.map { [$0] } ?? table.added) }
    package var files: [String] { [table.file] }

    package func mayAdvise(reading format: any Format) -> Bool { table.rows > 0 && (key.type.optionalValue == .dyn || table.holdsNumbersOnly && key.mayBeText) }

    /// Text never equals a number. What the definition alone shows is an error already.
    package func advice(on records: [ValueMap]) -> String? {
        let values = key.values(over: records).filter { $0 != .null }
        guard let first = values.first else { return nil }
        if table.holdsTextOnly, values.allSatisfy(\.isNumber) {
            return
                "\(key.text) is a number, such as \(first.plain), and '\(table.file)' has text, which never equals it: "
                + "write string(\(key.text)), or give the column a type ('types')"
        }
        if table.holdsNumbersOnly, values.allSatisfy(\.isText) {
            return "\(key.text) is text, such as '\(first.plain)', and '\(table.file)' has numbers, which never equal it: write int(\(key.text))"
        }
        return nil
    }

    package func makeStep(_ stage: RecordStage) -> Step { .each(LookupStep(table: table, key: key, target: target, missing: missing)) }
}

/// The step of `lookup`.
struct LookupStep: EachStep {
    let table: LookupTable
    let key: CellProgram
    let target: String?
    let missing: Lookup.Missing

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        let bound = BoundProgram(key, in: site.fields)
        let names = target.map { [$0] } ?? table.added
        let targets = names.map { name in
            let previous = binder.shape.column(of: name)
            let column = binder.newColumn()
            binder.shape.set(name, column: column)
            return LookupStage.Target(column: column, previous: previous)
        }
        return LookupStage(site: site, table: table, key: bound, targets: targets, missing: missing)
    }

    func note(in stage: inout RunReport.Stage) {
        stage.table = RunReport.Table(file: table.file, rows: table.rows, sha256: table.sha256)
    }
}

/// `lookup`, bound to one place.
struct LookupStage: EachStage {
    struct Target: Sendable {
        var column: Int
        /// The column of an existing field of that name. Its value stays if the table has none.
        var previous: Int?
    }

    let site: StageSite
    let table: LookupTable
    let key: BoundProgram
    let targets: [Target]
    let missing: Lookup.Missing

    func run(_ batch: RecordBatch) throws {
        let evaluate = key.evaluation(over: batch)
        let buffer = ByteBuffer(capacity: 256)
        let known = site.timeout == nil ? table.networks.map { rows(in: $0, of: batch, evaluate) } : nil
        try site.sift(batch) { (row) throws(RecordFailure) in
            let found: Int?
            if let known, known[row] != Self.unknown {
                found = known[row] >= 0 ? Int(known[row]) : nil
            } else {
                let cell = evaluate(row)
                if cell.kind == .error { throw key.failure(row, of: batch) }
                found = try find(cell, buffer, batch.scratch)
            }
            if found == nil, missing != .keep {
                if missing == .drop { return false }
                throw lacksRow(for: evaluate(row), batch.scratch)
            }
            fill(batch.table.row(row), found)
            return true
        }
    }

    private func lacksRow(for cell: Cell, _ scratch: Scratch) -> RecordFailure {
        let value = (try? scratch.value(of: cell))?.brief ?? "nothing"
        return RecordFailure(code: "lookup.missing", message: "'\(table.file)' has no row for \(value), the value of '\(key.program.text)'")
    }

    /// A record whose key is no IPv4 address.
    private static let unknown: Int32 = -2
    /// The number of addresses that are looked up together.
    private static let block = 64

    /// Looks up the IPv4 addresses of a batch, block by block: most of the time of a lookup in a
    /// large table is waiting for memory.
    ///
    /// - Returns: by row, the row of the table; -1 for none, or ``unknown``.
    private func rows(in networks: NetworkIndex, of batch: RecordBatch, _ evaluate: BoundProgram.Evaluation) -> UnsafeMutablePointer<Int32> {
        let found = batch.scratch.text.allocateNumbers(batch.table.rows)
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.block) { addresses in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.block) { places in
                guard let places = places.baseAddress else { return }
                var begin = 0
                while begin < batch.rows.count {
                    let rows = batch.rows[begin..<min(begin + Self.block, batch.rows.count)]
                    var count = 0
                    for row in rows {
                        let cell = evaluate(Int(row))
                        let address = cell.kind == .string ? IPAddress.v4(cell.textBytes) : nil
                        found[Int(row)] = address == nil ? Self.unknown : 0
                        guard let address else { continue }
                        addresses[count] = address
                        count += 1
                    }
                    networks.find(UnsafeBufferPointer(rebasing: addresses[..<count]), into: places)
                    table.prefetch(UnsafeBufferPointer(start: places, count: count))
                    var place = places
                    for row in rows where found[Int(row)] != Self.unknown {
                        found[Int(row)] = place.pointee
                        place += 1
                    }
                    begin += Self.block
                }
            }
        }
        return found
    }

    private func find(_ cell: Cell, _ buffer: ByteBuffer, _ scratch: Scratch) throws(RecordFailure) -> Int? {
        do throws(EvaluationError) {
            return try table.find(cell, buffer, scratch)
        } catch {
            throw RecordFailure(error)
        }
    }

    private func fill(_ cells: UnsafeMutablePointer<Cell>, _ row: Int?) {
        for (index, target) in targets.enumerated() {
            let cell = row.map { table.cell($0, index) } ?? .absent
            cells[target.column] = cell.kind == .absent ? target.previous.map { cells[$0] } ?? .absent : cell
        }
    }
}

extension Records {
    /// How a table's column is matched with a key.
    public enum LookupColumn: Sendable {
        /// The column's value equals the key.
        case value(String)
        /// The column has networks; the longest one that contains the key's address matches.
        case network(String)
    }

    /// What happens to a record whose key is not in the table.
    public enum MissingRow: String, Sendable {
        /// It passes unchanged.
        case keep
        /// It fails.
        case deadLetter = "dead_letter"
        /// It is filtered.
        case drop
    }

    /// Adds the fields that a table has for a key to each record. The whole table is read when the
    /// records are checked or run.
    ///
    /// - Parameters:
    ///   - key: an expression.
    ///   - file: the path of the table.
    ///   - format: the table's format; by default determined by the file's name. A SQLite database
    ///     has none.
    ///   - table: the table or view of a SQLite database; may be `nil` if it has only one.
    ///   - target: one field for the whole row, as a map.
    ///   - columns: the columns to add; by default all but that of the key.
    public func lookup(
        _ key: String, in file: String, as format: RecordFormat? = nil, table: String? = nil, column: LookupColumn, into target: String? = nil,
        selecting columns: [String]? = nil, missing: MissingRow = .keep, name: String? = nil, onError: FailurePolicy = .deadLetter
    ) -> Records {
        adding(Lookup.self, name, onError: onError) { script in
            var keys = ["file": script.argument(file), "key": script.argument(key), "missing": script.argument(missing.rawValue)]
            switch column {
            case .value(let name): keys["column"] = .keys(Arguments(["value": script.argument(name)], at: script.place))
            case .network(let name): keys["column"] = .keys(Arguments(["network": script.argument(name)], at: script.place))
            }
            keys["table"] = table.map { script.argument($0) }
            keys["as"] = target.map { script.argument($0) }
            keys["select"] = columns.map { script.argument($0) }
            keys["format"] = format.map { Argument.format($0.argument(&script)) }
            return .keys(Arguments(keys))
        }
    }
}
