import SluiceCEL

extension LookupTable {
    /// The rows of a table or a view in a SQLite database, as JSON: INTEGER and REAL are numbers,
    /// TEXT is text, BLOB is text in base64, and NULL is no value.
    ///
    /// - Parameter table: may be `nil` if there is only one.
    static func rows(of file: String, table: String?) throws(Fault) -> Rows {
        let database = try checked(file) { () throws(SQLiteDatabase.Fault) in try SQLiteDatabase(file, .reading) }
        if let damage = try checked(file, { () throws(SQLiteDatabase.Fault) in try database.damage() }) {
            throw Fault(message: "'\(file)' is damaged: \(damage)", fix: "write it anew, or recover its rows with 'sqlite3 \(file) .recover'")
        }
        let tables = try checked(file) { () throws(SQLiteDatabase.Fault) in try database.tables() }
        let name = try chosen(table, of: tables, file)
        let (names, text) = try checked(file) { () throws(SQLiteDatabase.Fault) in
            let rows = try SQLiteStatement(database, "SELECT * FROM " + SQLiteDatabase.quoted(name))
            let text = ByteBuffer(capacity: 64 << 10)
            while try rows.step() { write(rows, rows.columns, to: text) }
            return (rows.columns, text)
        }
        if let twice = names.indices.first(where: { names[..<$0].contains { [name = names[$0]] in $0.isSame(as: name) } }) {
            throw Fault(message: "'\(file)': '\(name)' has two columns '\(names[twice])'")
        }
        let format = JSONL()
        return Rows(batches: try batches(of: text, file, format), format: format, names: names, unit: "row")
    }

    private static func checked<Result>(
        _ file: String, _ body: () throws(SQLiteDatabase.Fault) -> Result
    ) throws(Fault) -> Result {
        do throws(SQLiteDatabase.Fault) {
            return try body()
        } catch {
            throw Fault(message: "'\(file)': \(error.message)")
        }
    }

    private static func chosen(_ table: String?, of tables: [String], _ file: String) throws(Fault) -> String {
        let list = tables.isEmpty ? "it has none" : "its tables are: \(tables.joined(separator: ", "))"
        if let table {
            if tables.containsSame(as: table) { return table }
            throw Fault(message: "'\(file)' has no table '\(table)'\(didYouMean(table, among: tables))", fix: list, part: .table)
        }
        guard let only = tables.first, tables.count == 1 else {
            throw Fault(message: "'\(file)' has \(tables.isEmpty ? "no table" : "several tables")", fix: "name one with 'table': \(list)")
        }
        return only
    }

    private static func write(_ rows: SQLiteStatement, _ names: [String], to text: ByteBuffer) {
        text.append(UInt8(ascii: "{"))
        var isFirst = true
        for (index, name) in names.enumerated() {
            let column = rows.column(index)
            if case .null = column { continue }
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.write(name, to: text)
            text.append(UInt8(ascii: ":"))
            switch column {
            case .null: break
            case .integer(let value): JSONText.write(Int(value), to: text)
            case .real(let value): JSONText.write(value, to: text)
            case .text(let bytes): JSONText.write(bytes, to: text)
            case .blob(let bytes): JSONText.writeBase64(bytes, to: text)
            }
        }
        text.append("}\n")
    }

    private static func batches(of text: ByteBuffer, _ file: String, _ format: any Format) throws(Fault) -> [Batch] {
        let source = MemorySource(named: [(file == "-" ? "./-" : file, text.withFilled { Array($0) })])
        let scratch = ScratchFolder(of: "table")
        defer { scratch.remove() }
        do throws(InputError) {
            let buffers = BufferPool(capacity: Batch.targetBytes + 4096, most: 1)
            let input = source.inputs[0]
            let configuration = BatchReader.Configuration(scratch: scratch)
            let reader = try BatchReader(input, of: try source.open(input, at: 0), index: 0, configuration: configuration, buffers: buffers)
            var batches: [Batch] = []
            while let batch = try reader.next() { batches.append(batch) }
            return batches
        } catch {
            throw Fault(message: "\(error)")
        }
    }
}
