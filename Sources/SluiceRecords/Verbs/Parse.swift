public import Sluice
import SluiceCEL

/// `parse`: parses the text of one field with a format. The parsed fields become fields of the
/// record, or a map in one field.
package struct Parse: Verb, EachStep {
    package static let declaration = Declaration(
        "parse", "parses the text of a field in any format, into fields of the record or into a single field",
        argument: .keys([
            ArgumentKey("field", .field, isRequired: true, example: "field: line", "the text field"),
            ArgumentKey("format", .format, isRequired: true, example: "format: jsonl", "the format of the text"),
            ArgumentKey("into", .newField, example: "into: request", "a single field for the result, as a map"),
            ArgumentKey("pattern", .text, example: #"pattern: '^(?P<host>\S+)'"#, "for the format `regex`"),
        ]),
        example: "parse: {field: line, format: jsonl}",
        elsewhere: ["extract", "decode", "parse_field", "dissect", "grok"])

    private let field: String
    private let format: any Format
    private let into: String?

    package init(field: String, format: any Format, into: String? = nil) {
        self.field = field
        self.format = format
        self.into = into
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys, let field = keys["field"]?.leaf else { return nil }
        checking.checkFields([field])
        let format = Self.format(keys, &checking)
        let into = keys["into"]?.leaf
        if let into {
            checking.fields.set(into.text, type: .dyn)
        } else if case .known(let fields) = format?.schema {
            for field in fields { checking.fields.set(field.name, type: field.type) }
        } else {
            checking.fields = .open
        }
        guard let format else { return nil }
        self.init(field: field.text, format: format, into: into?.text)
    }

    /// `pattern` is allowed next to `format: regex`, which needs it.
    private static func format(_ keys: Arguments, _ checking: inout Checking) -> (any Format)? {
        guard case .format(var format)? = keys["format"] else { return nil }
        if let pattern = keys["pattern"] {
            guard format.declaration.name == RegexFormat.name else {
                checking.report(
                    "the format '\(format.declaration.name)' takes no pattern", at: pattern.place,
                    fix: "use 'format: regex', or remove 'pattern'")
                return nil
            }
            format.options = Arguments(["pattern": pattern], at: pattern.place)
        }
        return Self.make(format, &checking)
    }

    private static func make(_ argument: FormatArgument, _ checking: inout Checking) -> (any Format)? {
        guard let format = Formats.make(argument, &checking) else { return nil }
        let count = checking.diagnostics.count
        format.checkReading(&checking)
        guard checking.diagnostics.count == count else { return nil }
        if let headed = format as? any HeadedFormat, headed.needsHead {
            checking.report(
                "the format '\(argument.declaration.name)' takes its fields from a header, which a field does not have",
                at: argument.name.place, fix: "list the fields: {\(argument.declaration.name): {columns: [id, name]}}")
            return nil
        }
        if (format as? any InferringFormat)?.infersTypes == true {
            checking.report(
                "the types of a field's parts cannot be inferred", at: argument.options?["types"]?.place, fix: "name them: types: {status: int}")
            return nil
        }
        if case .documents(let path) = format.framing, !path.isEmpty {
            checking.report(
                "a field is one record, so '\(argument.declaration.name)' takes no 'records' here", at: argument.options?["records"]?.place,
                fix: "parse the field, and 'explode' its list")
            return nil
        }
        return format
    }

    package var reads: [String] { [field] }
    package var mentions: [String] { [field] + (into.map { [$0] } ?? format.schema.names) }
    package var givesNewBytes: Bool { into == nil && format.schema.isOpen }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        let names = format.schema.names
        let parser = FieldParser(
            field: field, column: binder.shape.column(of: field), decoder: format.makeDecoder(columns: names, spans: false), names: names)
        if let into {
            let target = binder.newColumn()
            binder.shape.set(into, column: target)
            return NestStage(site: site, parser: parser, target: target)
        }
        guard format.schema.isOpen else {
            let targets = names.map { name in
                let previous = binder.shape.column(of: name)
                let target = binder.newColumn()
                binder.shape.set(name, column: target)
                return SpreadStage.Target(column: target, previous: previous)
            }
            return SpreadStage(site: site, parser: parser, targets: targets)
        }
        return MergeStage(site: site, parser: parser, next: binder.next)
    }
}

/// Decodes one text field of a record with a format.
struct FieldParser: Sendable {
    let field: String
    /// The column of the field; `nil` if no record has it.
    let column: Int?
    let decoder: any RecordDecoder
    /// The decoder's columns; empty for a format whose fields are known only when it is read.
    let names: [String]

    func makeTable() -> RowTable { RowTable(columns: names.count, hasSpans: false) }

    /// Decodes the field of `row` into row 0 of `table`.
    /// - Returns: the decoded text, or the object that it was rewritten as, in memory that lives as
    ///   long as the batch; `nil` if it is blank.
    func parse(_ row: Int, of batch: RecordBatch, into table: RowTable) throws(RecordFailure) -> UnsafeBufferPointer<UInt8>? {
        let cell = column.map { batch.table.row(row)[$0] } ?? .absent
        switch cell.kind {
        case .string, .bytes: break
        case .absent: throw RecordFailure(code: "expression.no_such_field", message: "no such field '\(field)'")
        default: throw RecordFailure(code: "expression.type", message: "field '\(field)' is of type \(cell.kind), not text")
        }
        let text = paddedText(cell, batch)
        table.prepare(rows: 1)
        decoder.decode(text, row: 0, into: table)
        switch table.outcomes[0] {
        case .decoded, .duplicated:
            guard let object = table.objects?.bytes else { return names.isEmpty ? onSingleLine(text, batch) : text }
            return UnsafeBufferPointer(start: object.withFilled { batch.scratch.text.copy($0) }, count: object.count)
        case .blank: return nil
        case .failed:
            let failure = table.failures.first
            throw RecordFailure(
                code: failure?.code ?? "parse", message: "field '\(field)': \(failure?.message ?? "cannot be parsed")")
        }
    }

    /// JSON of several lines without them, because records are written line by line.
    private func onSingleLine(_ text: UnsafeBufferPointer<UInt8>, _ batch: RecordBatch) -> UnsafeBufferPointer<UInt8> {
        guard text.contains(0x0A) else { return text }
        let compact = ByteBuffer(capacity: text.count)
        JSONText.appendCompact(JSONMembers.trimmed(text), to: compact)
        return compact.withFilled { paddedText(.text(.json, batch.scratch.text.copy($0), count: $0.count), batch) }
    }

    /// A padded copy of the text, since decoders may read past its end.
    private func paddedText(_ cell: Cell, _ batch: RecordBatch) -> UnsafeBufferPointer<UInt8> {
        let memory = batch.scratch.text.allocate(Int(cell.count) + ByteBuffer.padding)
        if let source = cell.textBytes.baseAddress { memory.update(from: source, count: Int(cell.count)) }
        return UnsafeBufferPointer(start: UnsafePointer(memory), count: Int(cell.count))
    }
}

/// `parse` with `into`: the parsed fields become a map in one field.
struct NestStage: EachStage {
    let site: StageSite
    let parser: FieldParser
    let target: Int

    func run(_ batch: RecordBatch) throws {
        let found = parser.makeTable()
        let buffer = ByteBuffer(capacity: 4096)
        try site.sift(batch) { (row) throws(RecordFailure) in
            let text = try parser.parse(row, of: batch, into: found)
            guard let text else {
                batch.table.row(row)[target] = .null
                return true
            }
            if parser.names.isEmpty {
                batch.table.row(row)[target] = Self.object(in: text)
                return true
            }
            buffer.count = 0
            var object = JSONObjectWriter(buffer)
            for (index, name) in parser.names.enumerated() where found.row(0)[index].kind != .absent {
                object.write(name, found.row(0)[index], batch.scratch)
            }
            object.end()
            batch.table.row(row)[target] = batch.scratch.text(.json, copying: buffer.filled)
            return true
        }
    }

    /// The JSON text without surrounding white space.
    private static func object(in text: UnsafeBufferPointer<UInt8>) -> Cell {
        let trimmed = JSONMembers.trimmed(text)
        return trimmed.baseAddress.map { .text(.json, $0, count: trimmed.count) } ?? .null
    }
}

/// `parse` without `into`, for a format with known fields: each becomes a field of the record.
struct SpreadStage: EachStage {
    struct Target: Sendable {
        var column: Int
        /// The column of an existing field of that name. Its value stays if the parsed text has no
        /// such field.
        var previous: Int?
    }

    let site: StageSite
    let parser: FieldParser
    let targets: [Target]

    func run(_ batch: RecordBatch) throws {
        let found = parser.makeTable()
        try site.sift(batch) { (row) throws(RecordFailure) in
            let isBlank = try parser.parse(row, of: batch, into: found) == nil
            let cells = batch.table.row(row)
            for (index, target) in targets.enumerated() {
                let cell = isBlank ? .absent : found.row(0)[index]
                cells[target.column] = cell.kind == .absent ? target.previous.map { cells[$0] } ?? .absent : batch.kept(cell)
            }
            return true
        }
    }
}

/// `parse` without `into`, for a format whose fields are known only when it is read: the parsed
/// members become members of the record and replace those of the same name.
struct MergeStage: EachStage {
    let site: StageSite
    let parser: FieldParser
    let next: BoundSegment?

    func run(_ batch: RecordBatch) throws {
        let found = parser.makeTable()
        let bytes = ByteBuffer(capacity: Batch.targetBytes)
        var frames: [Frame] = []
        var origins: [UInt32] = []
        try site.sift(batch) { (row) throws(RecordFailure) in
            let text = try parser.parse(row, of: batch, into: found)
            let start = bytes.count
            let record = site.fields.json(row, of: batch)
            record.withFilled { JSONMembers.merge($0, with: text, into: bytes) }
            frames.append(Frame(start: UInt32(start), count: UInt32(bytes.count - start), lineDelta: 0))
            origins.append(UInt32(row))
            return true
        }
        try site.rebase(batch, onto: bytes, frames, origins: origins, decodedBy: next) { RecordFailure(code: $0.code, message: $0.message) }
    }
}

extension Records {
    /// Parses the text of one field into fields of the record.
    ///
    /// - Parameters:
    ///   - into: a field for all parsed fields, as a map, instead of fields of the record.
    ///   - onError: what happens to a record whose field cannot be parsed.
    public func parse(
        _ field: String, as format: RecordFormat, into: String? = nil, name: String? = nil, onError: FailurePolicy = .deadLetter
    ) -> Records {
        adding(Parse.self, name, onError: onError) { script in
            var keys = ["field": script.argument(field), "format": Argument.format(format.argument(&script))]
            keys["into"] = into.map { script.argument($0) }
            return .keys(Arguments(keys))
        }
    }
}
