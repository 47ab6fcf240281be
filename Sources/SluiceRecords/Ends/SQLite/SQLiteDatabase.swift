import CSQLite

/// An open SQLite database. One owner at a time.
///
/// Unsafe memory: the connection and the statements belong to their objects from `init` to
/// `deinit`; texts that SQLite returns are copied before the next call.
final class SQLiteDatabase {
    struct Fault: Error {
        var message: String
    }

    enum Mode {
        case reading
        /// A new file for one writer. It has no journal: if writing fails, the file is discarded.
        case creating
    }

    fileprivate let connection: OpaquePointer

    static var version: String { String(cString: sqlite3_libversion()) }

    init(_ path: String, _ mode: Mode) throws(Fault) {
        var connection: OpaquePointer?
        let flags = mode == .reading ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        // Relative paths that begin with `:` or `file:` would mean something else.
        let result = sqlite3_open_v2(path.hasPrefix("/") ? path : "./" + path, &connection, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard let connection else { throw Fault(message: "out of memory") }
        self.connection = connection
        guard result == SQLITE_OK else { throw fault }
        sqlite3_busy_timeout(connection, 5000)
        sqlite3_extended_result_codes(connection, 1)
        guard mode == .creating else { return }
        for setting in ["journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -8000", "encoding = 'UTF-8'"] {
            try run("PRAGMA " + setting)
        }
    }

    deinit {
        sqlite3_close_v2(connection)
    }

    var fault: Fault { Fault(message: String(cString: sqlite3_errmsg(connection))) }

    func run(_ sql: String) throws(Fault) {
        guard sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else { throw fault }
    }

    /// The tables and views, in the order in which they were created.
    func tables() throws(Fault) -> [String] {
        let rows = try SQLiteStatement(
            self, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid")
        var names: [String] = []
        while try rows.step() { names.append(rows.text(0)) }
        return names
    }

    /// What is damaged, in SQLite's words; `nil` if nothing is. Reads the whole file.
    ///
    /// Without this, rows of a page that is damaged are missing from what a query gives, often
    /// without an error.
    func damage() throws(Fault) -> String? {
        // Checks may call functions that only another program has.
        try run("PRAGMA ignore_check_constraints = ON")
        let rows = try SQLiteStatement(self, "PRAGMA quick_check(1)")
        guard try rows.step() else { return nil }
        // A line may come before that names the database.
        let found = rows.text(0).split(separator: "\n").last ?? ""
        return found == "ok" ? nil : String(found)
    }

    func count(of table: String) throws(Fault) -> Int {
        let rows = try SQLiteStatement(self, "SELECT count(*) FROM " + Self.quoted(table))
        return try rows.step() ? rows.integer(0) : 0
    }

    /// Whether the file has the header of a SQLite database.
    static func isDatabase(_ path: String) -> Bool {
        guard case .file(size: _?) = PathKind.of(path), case .success(let file) = Result(catching: { try InputDescriptor(InputFile(path: path)) })
        else { return false }
        defer { file.close() }
        return withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { memory in
            file.read(into: memory) == 16 && memory.elementsEqual(Array("SQLite format 3".utf8) + [0])
        }
    }

    static func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
}

/// A prepared statement.
final class SQLiteStatement {
    private let database: SQLiteDatabase
    private let statement: OpaquePointer

    init(_ database: SQLiteDatabase, _ sql: String) throws(SQLiteDatabase.Fault) {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(database.connection, sql, -1, &statement, nil) == SQLITE_OK, let statement else { throw database.fault }
        self.database = database
        self.statement = statement
    }

    deinit {
        sqlite3_finalize(statement)
    }

    /// - Returns: whether there is a row.
    func step() throws(SQLiteDatabase.Fault) -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw database.fault
        }
    }

    func reset() { sqlite3_reset(statement) }

    // Parameters are numbered from 1, columns from 0, as in SQLite.

    func bindNull(_ number: Int) { sqlite3_bind_null(statement, Int32(number)) }
    func bind(_ number: Int, _ value: Int64) { sqlite3_bind_int64(statement, Int32(number), value) }
    func bind(_ number: Int, _ value: Double) { sqlite3_bind_double(statement, Int32(number), value) }

    /// The bytes must stay until the next `step` has returned.
    func bind(_ number: Int, _ start: UnsafePointer<UInt8>, count: Int, isText: Bool) throws(SQLiteDatabase.Fault) {
        let result =
            isText
            ? start.withMemoryRebound(to: CChar.self, capacity: max(1, count)) {
                sqlite3_bind_text64(statement, Int32(number), $0, UInt64(count), nil, UInt8(SQLITE_UTF8))
            }
            : sqlite3_bind_blob64(statement, Int32(number), start, UInt64(count), nil)
        guard result == SQLITE_OK else { throw database.fault }
    }

    var columns: [String] {
        (0..<sqlite3_column_count(statement)).map { sqlite3_column_name(statement, $0).map { String(cString: $0) } ?? "" }
    }

    enum Column {
        case null
        case integer(Int64)
        case real(Double)
        case text(UnsafeBufferPointer<UInt8>)
        case blob(UnsafeBufferPointer<UInt8>)
    }

    /// Texts are valid until the next call.
    func column(_ index: Int) -> Column {
        let number = Int32(index)
        switch sqlite3_column_type(statement, number) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, number))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, number))
        case SQLITE_TEXT: return .text(bytes(sqlite3_column_text(statement, number), number))
        case SQLITE_BLOB:
            return .blob(bytes(sqlite3_column_blob(statement, number)?.assumingMemoryBound(to: UInt8.self), number))
        default: return .null
        }
    }

    private func bytes(_ start: UnsafePointer<UInt8>?, _ number: Int32) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(statement, number)))
    }

    func text(_ index: Int) -> String {
        guard case .text(let bytes) = column(index) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    func integer(_ index: Int) -> Int {
        guard case .integer(let value) = column(index) else { return 0 }
        return Int(value)
    }
}
