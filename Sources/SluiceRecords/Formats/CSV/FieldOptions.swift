import SluiceCEL

/// What formats with columns have in common: their options for columns and headers, and the names
/// of the fields once they are known.
struct FieldOptions: Sendable {
    /// As written in the definition.
    private(set) var columns: [Leaf]?
    private(set) var types = FieldTypes()
    /// The number of fields that every record must have.
    private var leastFields: Int?
    /// Whether files that are read begin with a header.
    private(set) var hasHead = true
    /// Whether outputs begin with a header.
    private(set) var writesHeader = true
    /// The place of an option that leaves the fields without names: no header and no `columns`.
    private var missingNames: TextPlace?
    /// The names of the fields, once they are known.
    private(set) var names: [String]?
    /// Why the records of a file cannot be read.
    private var problem: String?

    static let columnsKey = ArgumentKey(
        "columns", .list(.newField, isSet: true), example: "columns: [id, name]",
        "reading: the field names, for files without a header; writing: which fields to write, in this order")
    static let headerKey = ArgumentKey(
        "header", .flag, example: "header: false", "whether files have a header; by default `true`, except for reading with `columns`")
    static let leastKey = ArgumentKey(
        "at_least", .integer(1...(1 << 15)), example: "at_least: 23",
        "reading: the minimum number of fields of a record, if trailing ones may be missing; by default all")
    static let typesKey = ArgumentKey(
        "types", .word(FieldTypes.infer, or: .entries(key: .newField, value: .choice(FieldType.choices.map(\.rawValue)))),
        example: "types: {status: int, price: double}", "reading: the types of fields; by default text. `infer`: those of the first records of the first input")

    init() {}

    init(_ options: Arguments) {
        columns = options["columns"]?.leaves
        types = FieldTypes(options)
        leastFields = options["at_least"]?.integer
        let header = options["header"]?.flag
        writesHeader = header ?? true
        hasHead = header ?? (columns == nil)
        names = columns?.map(\.text)
        if header == false, columns == nil { missingNames = options["header"]?.place }
    }

    /// Takes the names from the head of a file, unless the definition has names.
    ///
    /// - Parameter read: returns the names, or why they cannot be read.
    mutating func complete(by head: FileHead, _ read: () -> Result<[String], FieldNames.Fault>) {
        problem = head.problem
        guard names == nil, problem == nil else { return }
        switch read() {
        case .success(let names): self.names = names
        case .failure(let fault): problem = fault.message
        }
    }

    var infersTypes: Bool { types.areInferred }
    var typedFields: [String] { types.names }

    mutating func take(_ types: [InferredField]) { self.types.take(types) }

    var needsHead: Bool { names == nil }

    /// The names, or none if they cannot be known; `nil` before the head is known.
    var knownNames: [String]? { names ?? (problem == nil ? nil : []) }

    var schema: Schema {
        guard let names = knownNames else { return .open }
        return types.schema(of: names)
    }

    /// - Parameter types: the types of the fields by index, if not those of the definition.
    func layout(_ failureCode: String, columns: [String], types: [FieldType]? = nil) -> FieldLayout {
        let names = names ?? []
        let byName = self.types.byName
        return FieldLayout(
            failureCode, names: names, leastFields: leastFields, types: types ?? names.map { byName[Name($0)] ?? .string }, columns: columns,
            authority: self.columns == nil ? "the header has" : "'columns' has",
            problem: problem ?? (self.names == nil ? "the file has no header" : nil))
    }

    func checkReading(_ format: String, _ checking: inout Checking) {
        if let missingNames {
            checking.report("\(format): without a header, the fields have no names", at: missingNames, fix: "give their names: columns: [id, name]")
        }
        if let columns { types.check(format, against: columns, &checking) }
    }
}
