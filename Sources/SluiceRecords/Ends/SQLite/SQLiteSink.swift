import SluiceCEL

/// `sqlite`: a table in a SQLite database, which the run makes anew.
package struct SQLiteSink: DeclaredSink {
    package static let declaration = Declaration(
        "sqlite", "a SQLite database that the run makes, with one table",
        argument: .text,
        options: [ArgumentKey("table", .text, example: "table: errors", "the name of the table; required with `sqlite`")],
        example: "sqlite: out/errors.db, table: errors")

    package let path: PathTemplate
    private let name: String

    package init(_ path: String, table: String) {
        self.path = PathTemplate(path)
        name = table
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let leaf = argument.leaf, let template = PathTemplate(leaf, &checking) else { return nil }
        guard let file = template.constant else {
            checking.report("no {…} here, a database is one file", at: leaf.place, fix: "write a plain path")
            return nil
        }
        guard let table = options["table"]?.leaf else {
            checking.report("'table' is missing", at: leaf.place, fix: "write '{\(Self.declaration.example)}'")
            return nil
        }
        guard table.isComplete else { return nil }
        let isReserved = table.text.lowercased().hasPrefix("sqlite_")
        if table.text.isEmpty || isReserved || table.text.utf8.contains(0) {
            let reason = isReserved ? "names that begin with 'sqlite_' are SQLite's own" : "a table needs a name"
            checking.report("'table': \(reason)", at: table.place)
            return nil
        }
        if let reason = Self.refusal(of: file, table: table.text) {
            checking.report(reason, at: leaf.place, fix: "name a new file, or remove that one")
            return nil
        }
        self.init(file, table: table.text)
    }

    package var table: String? { name }
    package var ownFormat: (any WritableFormat)? { SQLiteRows() }

    /// Why an existing file must not be replaced: it holds something that the run does not make.
    private static func refusal(of file: String, table: String) -> String? {
        switch PathKind.of(file) {
        case .file(size: nil): return "'\(file)' is a device or a pipe"
        case .file(size: 0): return nil
        case .file where !SQLiteDatabase.isDatabase(file): return "'\(file)' is not a SQLite database, and would be replaced"
        case .file: break
        default: return nil
        }
        do throws(SQLiteDatabase.Fault) {
            let other = try SQLiteDatabase(file, .reading).tables().first { !$0.isSame(as: table) }
            return other.map { "'\(file)' has another table, '\($0)', and would be replaced" }
        } catch {
            return "'\(file)' would be replaced, and cannot be looked at: \(error.message)"
        }
    }

    package func naming(withSuffix suffix: String) -> any RecordSink { SQLiteSink(path.constant.map { FileName.adding(suffix, to: $0) } ?? "", table: name) }

    package func open(empty: [UInt8], staging: Staging) -> any OpenSink { OpenSQLite(table: name, staging) }
    package func file(of output: String) throws(InputError) -> FileIdentity? { try .ofRegularFile(output) }
    package func place(of output: String) throws(InputError) -> FilePlace? { try .ofOutput(output) }
}

/// A database that is being written: to a staged file, in one transaction, so that its bytes depend
/// on the records alone.
///
/// Unsafe memory: reads the rows that ``SQLiteValues`` has written, and only whole ones.
private final class OpenSQLite: OpenSink {
    private let table: String
    private let staging: Staging
    private let folders: OutputFolders
    private var path: String?
    private var database: SQLiteDatabase?
    private var insertion: SQLiteStatement?
    private var columns = 0
    private var records = 0
    /// Set when the file is complete.
    private var prepared: PublishedOutput?

    init(table: String, _ staging: Staging) {
        self.table = table
        self.staging = staging
        folders = OutputFolders(staging)
    }

    deinit {
        discard()
    }

    func name(of output: String) throws(OutputError) -> String {
        if let path { return path }
        let path = NameBytes.normalized(output)
        _ = try folders.prepare(for: path)
        self.path = path
        try checked { () throws(SQLiteDatabase.Fault) in
            let database = try SQLiteDatabase(staging.path(of: path), .creating)
            self.database = database
            try database.run("BEGIN")
        }
        return path
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>, records: Int, to output: String) throws(OutputError) {
        _ = try name(of: output)
        self.records += records
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        try checked { () throws(SQLiteDatabase.Fault) in
            var rows = SQLiteRowReader(at: start, count: bytes.count)
            if insertion == nil { try create(rows.head()) }
            while !rows.isAtEnd { try insert(&rows) }
        }
    }

    private func create(_ names: [String]) throws(SQLiteDatabase.Fault) {
        guard let database else { return }
        var known: [String: String] = [:]
        for name in names {
            // SQLite compares names without the case of ASCII letters.
            if let other = known.updateValue(name, forKey: String(decoding: name.utf8.map { Self.lowercase($0) }, as: UTF8.self)) {
                throw SQLiteDatabase.Fault(message: "the fields '\(other)' and '\(name)' would be the same column; rename one of them")
            }
            if name.utf8.contains(0) { throw SQLiteDatabase.Fault(message: "no column can have NUL in its name; rename the field") }
        }
        let table = SQLiteDatabase.quoted(table)
        try database.run("CREATE TABLE \(table) (\(names.map(SQLiteDatabase.quoted).joined(separator: ", ")))")
        let values = names.map { _ in "?" }.joined(separator: ", ")
        insertion = try SQLiteStatement(database, "INSERT INTO \(table) VALUES (\(values))")
        columns = names.count
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte }

    private func insert(_ rows: inout SQLiteRowReader) throws(SQLiteDatabase.Fault) {
        guard let insertion else { return }
        for number in 1...columns {
            switch rows.value() {
            case .null: insertion.bindNull(number)
            case .integer(let value): insertion.bind(number, value)
            case .real(let value): insertion.bind(number, value)
            case .text(let start, let count): try insertion.bind(number, start, count: count, isText: true)
            case .blob(let start, let count): try insertion.bind(number, start, count: count, isText: false)
            }
        }
        rows.endRow()
        _ = try insertion.step()
        insertion.reset()
    }

    private func checked(_ body: () throws(SQLiteDatabase.Fault) -> Void) throws(OutputError) {
        do throws(SQLiteDatabase.Fault) {
            try body()
        } catch {
            throw .failed(path: path ?? "sqlite", reason: error.message)
        }
    }

    func checkpoint() -> SinkMark {
        SinkMark(outputs: path.map { [SinkMark.Output(path: $0, bytes: 0, records: records)] } ?? [])
    }

    func restore(to mark: SinkMark) throws(OutputError) {
        guard mark == checkpoint() else { throw .failed(path: path ?? "sqlite", reason: "rows cannot be taken back") }
    }

    func prepare() throws(OutputError) {
        guard prepared == nil, let path else { return }
        insertion = nil
        try checked { () throws(SQLiteDatabase.Fault) in try database?.run("COMMIT") }
        database = nil
        let staged = staging.path(of: path)
        try FileSyncing.sync(staged, as: path)
        do throws(InputError) {
            let file = InputFile(path: staged)
            let size = try InputDescriptor(file).size ?? 0
            prepared = PublishedOutput(path: path, records: records, bytes: size, sha256: try Digest.ofFile(staged))
        } catch {
            throw .failed(path: path, reason: "\(error)")
        }
    }

    var moves: [Journal.Move] { prepared.map { [Journal.Move(staged: staging.path(of: $0.path), path: $0.path)] } ?? [] }
    var described: [PublishedOutput] { prepared.map { [$0] } ?? [] }

    func publish() throws(OutputError) -> [PublishedOutput] {
        try prepare()
        guard let done = prepared else { return [] }
        try FileSyncing.rename(staging.path(of: done.path), to: done.path)
        try folders.sync()
        (prepared, path, records) = (nil, nil, 0)
        return [done]
    }

    /// Only a database that is complete is of use to another process.
    func leave() {
        guard prepared != nil else { return discard() }
        (prepared, path, records) = (nil, nil, 0)
    }

    func published() throws(OutputError) {
        (prepared, path, records) = (nil, nil, 0)
        try folders.sync()
    }

    func discard() {
        (insertion, database) = (nil, nil)
        if let path { FileSyncing.remove(staging.path(of: path)) }
        (prepared, path, records) = (nil, nil, 0)
        folders.discard()
    }
}

/// Reads rows as ``SQLiteRows`` writes them.
private struct SQLiteRowReader {
    enum Value {
        case null
        case integer(Int64)
        case real(Double)
        case text(UnsafePointer<UInt8>, Int)
        case blob(UnsafePointer<UInt8>, Int)
    }

    private var place: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    init(at start: UnsafePointer<UInt8>, count: Int) {
        place = start
        end = start + count
    }

    var isAtEnd: Bool { place >= end }

    mutating func head() -> [String] {
        (0..<number()).map { _ in
            guard case .text(let start, let count) = value() else { return "" }
            return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }

    mutating func value() -> Value {
        let tag = place.pointee
        place += 1
        switch tag {
        case SQLiteValues.Tag.integer: return .integer(Int64(bitPattern: number()))
        case SQLiteValues.Tag.real: return .real(Double(bitPattern: number()))
        case SQLiteValues.Tag.text, SQLiteValues.Tag.blob:
            let count = Int(number())
            let start = place
            place += count
            return tag == SQLiteValues.Tag.text ? .text(start, count) : .blob(start, count)
        default: return .null
        }
    }

    mutating func endRow() { place += 1 }

    private mutating func number() -> UInt64 {
        defer { place += 8 }
        return UInt64(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt64.self))
    }
}
