public import Sluice
import SluiceCEL

/// `explode`: makes one record of each element of a list or a map.
///
/// The elements of a map are objects with `key` and `value`. An element that is an object becomes
/// the record, unless `as` names a field for it; any other element replaces the list in a copy of
/// the record.
package struct Explode: Verb, EachStep {
    package static let declaration = Declaration(
        "explode", "makes a record of each element of a list or map",
        argument: .short(
            .field, for: "field",
            in: [
                ArgumentKey("field", .field, isRequired: true, example: "field: items", "the list or map"),
                ArgumentKey("as", .newField, example: "as: item", "the field for the element, even if it is an object"),
                ArgumentKey(
                    "keep", .list(.field, isSet: true), example: "keep: [id]",
                    "which other fields of the record to keep; without `as`, they are added to an element that becomes the record"),
            ]),
        example: "explode: items",
        elsewhere: ["unnest", "flatten", "expand", "unwind", "unroll", "split", "mv_expand", "each"])

    private let field: String
    private let target: String?
    private let kept: [String]?

    /// - Parameters:
    ///   - target: the field for all elements, including objects.
    ///   - kept: the other fields to keep. By default, none with an object that becomes the record,
    ///     and all with other elements.
    package init(field: String, as target: String? = nil, keep kept: [String]? = nil) {
        self.field = field
        self.target = target
        self.kept = kept
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys, let field = keys["field"]?.leaf else { return nil }
        let kept = keys["keep"]?.leaves
        checking.checkFields([field] + (kept ?? []))
        if let again = kept?.first(where: { $0.text.isSame(as: field.text) }) {
            checking.report("'\(again.text)' is the exploded field, so it cannot be kept", at: again.place, fix: "remove it")
        }
        self.init(field: field.text, as: keys["as"]?.leaf?.text, keep: kept?.map(\.text))
        let type = checking.fields.type(of: field.text)
        guard let type, let element = Self.element(of: type) else {
            if let type { checking.report("'\(field.text)' is of type \(type), not a list or map", at: field.place) }
            checking.fields = .open
            return
        }
        checking.fields = fields(after: checking.fields, element)
    }

    /// The type of the elements; `nil` if the type has none.
    private static func element(of type: CELType) -> CELType? {
        switch type {
        case .dyn: .dyn
        case .list(let element): element
        case .map: .map(.string, .dyn)
        default: nil
        }
    }

    /// The schema after the stage: open if an element may become the record.
    private func fields(after fields: Schema, _ element: CELType) -> Schema {
        var fields = fields
        if let target {
            if !target.isSame(as: field) { fields.remove(target) }
            fields.rename([(field, target)])
            fields.set(target, type: element)
            if let kept { fields.select(kept + [target]) }
            return fields
        }
        switch element {
        case .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .list:
            fields.set(field, type: element)
            return fields
        default: return .open
        }
    }

    package var dependence: Dependence { .recordOfSeveral }
    package var reads: [String] { [field] + (kept ?? []) }
    package var mentions: [String] { [field] + (target.map { [$0] } ?? []) + (kept ?? []) }
    package var givesNewBytes: Bool { true }
    package var passesFields: Bool { true }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        let column = binder.shape.column(of: field)
        let next = binder.next?.stretch.fields.shape.baseColumns ?? [:]
        func typed(_ names: [String]) -> [ExplodeStage.Typed] {
            names.compactMap { name in
                guard let from = site.fields.shape.column(of: name), let to = next[Name(name)] else { return nil }
                return ExplodeStage.Typed(name: name, from: from, to: to)
            }
        }
        let added = kept.map { names in
            var alone = binder
            alone.shape.select(names)
            return ExplodeStage.AddedFields(fields: alone.fields, names: names, typed: typed(names))
        }
        let held = binder.newColumn()
        hold(in: &binder.shape, held)
        let element = target ?? field
        let others = next.keys.map(\.text).filter { !$0.isSame(as: element) && binder.shape.column(of: $0) != nil }
        return ExplodeStage(
            site: site, field: field, column: column, held: held, holding: binder.fields, isAlwaysHeld: target != nil, added: added,
            kept: typed(others), element: next[Name(element)], next: binder.next)
    }

    /// The fields of a record that holds an element in `column`.
    private func hold(in shape: inout Shape, _ column: Int) {
        if let target, !target.isSame(as: field) {
            shape.remove(target)
            _ = shape.rename(field, to: target, merged: column)
        }
        shape.set(target ?? field, column: column)
        if let target, let kept { shape.select(kept + [target]) }
    }
}

/// `explode`, bound to one place.
struct ExplodeStage: EachStage {
    /// A field of the new record whose type JSON text cannot express.
    struct Typed: Sendable {
        var name: String
        var from: Int
        /// The column in the rows of the new records.
        var to: Int
    }

    /// The fields to add to an element that becomes the record.
    struct AddedFields: Sendable {
        var fields: RecordFields
        var names: [String]
        var typed: [Typed]
    }

    let site: StageSite
    let field: String
    /// The column of the list; `nil` if no record has it.
    let column: Int?
    /// The column that holds an element while its record is written.
    let held: Int
    let holding: RecordFields
    let isAlwaysHeld: Bool
    let added: AddedFields?
    let kept: [Typed]
    /// The column of the element in the rows of new records.
    let element: Int?
    let next: BoundSegment?

    /// The limits for one record. They bound memory, since a batch is held as a whole.
    static let mostElements = 500_000
    static let mostBytes = 64 << 20
    /// The limit for one batch: well within the 4 GiB that frames can address.
    static let mostBatchBytes = 1 << 30

    func run(_ batch: RecordBatch) throws {
        var making = ExplodedRecords(self, of: batch)
        try site.sift(batch) { (row) throws(RecordFailure) in try making.explode(row) }
        try site.rebase(batch, onto: making.bytes, making.frames, origins: making.origins, decodedBy: next) {
            RecordFailure(code: $0.code, message: $0.message)
        }
        for value in making.values { batch.table.row(value.frame)[value.column] = value.cell }
    }
}

/// The records made from a batch, as text.
private struct ExplodedRecords {
    typealias Text = UnsafeBufferPointer<UInt8>
    typealias TypedCell = (name: String, column: Int, cell: Cell)

    let bytes = ByteBuffer(capacity: Batch.targetBytes)
    private(set) var frames: [Frame] = []
    /// The row of each frame.
    private(set) var origins: [UInt32] = []
    /// Values that the text of the new records cannot express.
    private(set) var values: [(frame: Int, column: Int, cell: Cell)] = []

    private let stage: ExplodeStage
    private let batch: RecordBatch
    /// The row's first frame, and the first byte of its text.
    private var first = (frame: 0, byte: 0)
    private var row = 0
    /// For the current row, the fields to add to an element that becomes the record.
    private let addedText = ByteBuffer(capacity: 256)
    private var typedAdded: [TypedCell] = []
    private var typedKept: [TypedCell] = []
    /// Text of elements that are not JSON text.
    private let made = ByteBuffer(capacity: 1024)
    /// Finds the fields of an element with the same names as fields to add.
    private let finder: JSONLinesDecoder
    private let found: RowTable

    init(_ stage: ExplodeStage, of batch: RecordBatch) {
        self.stage = stage
        self.batch = batch
        let names = stage.added?.names ?? []
        finder = JSONLinesDecoder(columns: names)
        found = RowTable(columns: names.count, hasSpans: false)
    }

    /// - Returns: whether there are any elements.
    mutating func explode(_ row: Int) throws(RecordFailure) -> Bool {
        begin(row)
        do throws(RecordFailure) {
            let cell = stage.column.map { batch.table.row(row)[$0] } ?? .absent
            switch cell.kind {
            case .json: try addElements(ofJSON: JSONMembers.trimmed(cell.textBytes))
            case .boxed: try addElements(of: batch.scratch.boxedValue(cell))
            case .absent: throw noSuchField
            default: throw notElements("\(cell.kind)")
            }
        } catch {
            frames.removeSubrange(first.frame...)
            origins.removeSubrange(first.frame...)
            bytes.count = first.byte
            while let last = values.last, last.frame >= first.frame { values.removeLast() }
            throw error
        }
        return frames.count > first.frame
    }

    private mutating func begin(_ row: Int) {
        self.row = row
        first = (frames.count, bytes.count)
        typedKept.removeAll(keepingCapacity: true)
        for typed in stage.kept { note(typed, in: &typedKept) }
        guard let added = stage.added, !stage.isAlwaysHeld else { return }
        typedAdded.removeAll(keepingCapacity: true)
        for typed in added.typed { note(typed, in: &typedAdded) }
        addedText.count = 0
        added.fields.write(row, of: batch, to: addedText)
    }

    private func note(_ typed: ExplodeStage.Typed, in cells: inout [TypedCell]) {
        let cell = batch.table.row(row)[typed.from]
        if cell.losesType { cells.append((typed.name, typed.to, batch.kept(cell))) }
    }

    private var noSuchField: RecordFailure {
        let message = "no such field '\(stage.field)'"
        let near = stage.site.fields.nearestName(to: message, row, of: batch)
        return RecordFailure(code: "expression.no_such_field", message: message + (near.map { "; did you mean '\($0)'?" } ?? ""))
    }

    private func notElements(_ type: String) -> RecordFailure {
        RecordFailure(code: "expression.type", message: "field '\(stage.field)' is of type \(type), not a list or map")
    }
}

// Elements.
extension ExplodedRecords {
    /// The text was validated by a decoder.
    private mutating func addElements(ofJSON text: Text) throws(RecordFailure) {
        guard let start = text.baseAddress else { throw notElements("null") }
        if text.first == UInt8(ascii: "{") { return try addEntries(ofJSON: text) }
        guard text.first == UInt8(ascii: "[") else { throw notJSON }
        let end = start + text.count
        var place = JSONScan.space(start + 1, end)
        while place < end, place.pointee != UInt8(ascii: "]") {
            let close = try element(place, end)
            try add(Text(start: place, count: close - place))
            place = JSONScan.space(close, end)
            if place < end, place.pointee == UInt8(ascii: ",") { place = JSONScan.space(place + 1, end) }
        }
    }

    private func element(_ start: JSONScan.Place, _ end: JSONScan.Place) throws(RecordFailure) -> JSONScan.Place {
        do throws(JSONFault) {
            return try JSONScan.value(start, end, level: 1)
        } catch {
            throw notJSON
        }
    }

    private var notJSON: RecordFailure {
        RecordFailure(code: "expression.invalid_argument", message: "field '\(stage.field)' is not JSON")
    }

    private mutating func addEntries(ofJSON text: Text) throws(RecordFailure) {
        var failure: RecordFailure?
        do throws(JSONFault) {
            try JSONMembers.forEach(in: text) { (key, _, value, end) throws(JSONFault) in
                guard failure == nil else { return }
                let close = try JSONScan.string(key + 1, end).close + 1
                made.count = 0
                made.append("{\"key\":")
                made.append(Text(start: key, count: close - key))
                made.append(",\"value\":")
                made.append(Text(start: value, count: end - value))
                made.append("}")
                failure = added(made.filled)
            }
        } catch {
            throw notJSON
        }
        if let failure { throw failure }
    }

    private mutating func added(_ text: Text) -> RecordFailure? {
        do throws(RecordFailure) {
            try add(text)
            return nil
        } catch {
            return error
        }
    }

    private mutating func addElements(of value: Value) throws(RecordFailure) {
        switch value {
        case .list(let elements):
            for element in elements {
                made.count = 0
                JSONText.write(element, to: made)
                try add(made.filled, element)
            }
        case .map(let map):
            for entry in map.entries {
                let element = ValueMap(dictionaryLiteral: ("key", entry.key), ("value", entry.value))
                made.count = 0
                JSONText.write(.map(element), to: made)
                try add(made.filled, .map(element))
            }
        default: throw notElements(value.type.name)
        }
    }

    /// - Parameter value: the value that the text was made from, if it was not text.
    private mutating func add(_ text: Text, _ value: Value? = nil) throws(RecordFailure) {
        let start = bytes.count
        let frame = frames.count
        if !stage.isAlwaysHeld, text.first == UInt8(ascii: "{") {
            write(asRecord: text)
        } else {
            write(held: text, value)
        }
        frames.append(Frame(start: UInt32(start), count: UInt32(bytes.count - start), lineDelta: 0))
        origins.append(UInt32(row))
        guard frame - first.frame < ExplodeStage.mostElements, bytes.count - first.byte <= ExplodeStage.mostBytes,
            bytes.count <= ExplodeStage.mostBatchBytes
        else { throw tooLarge }
    }

    private var tooLarge: RecordFailure {
        RecordFailure(
            code: "explode.too_large",
            message: "the record would become more than 500,000 records or 64 MiB; remove unneeded fields first")
    }
}

// Writing one element.
extension ExplodedRecords {
    private mutating func write(held text: Text, _ value: Value?) {
        guard let start = text.baseAddress else { return }
        batch.table.row(row)[stage.held] = .text(.json, start, count: text.count)
        stage.holding.write(row, of: batch, to: bytes)
        for typed in typedKept { values.append((frames.count, typed.column, typed.cell)) }
        guard let value, let column = stage.element else { return }
        let cell = batch.scratch.cell(of: value)
        if cell.losesType { values.append((frames.count, column, cell)) }
    }

    /// The element's own fields override those to add.
    private mutating func write(asRecord text: Text) {
        guard let added = stage.added, let start = text.baseAddress else { return bytes.append(text) }
        found.prepare(rows: 1)
        finder.decode(text, row: 0, into: found)
        for typed in typedAdded where !isOwn(typed.name, of: added) { values.append((frames.count, typed.column, typed.cell)) }
        bytes.append(Text(rebasing: text.dropLast()))
        var needsComma = JSONScan.space(start + 1, start + text.count).pointee != UInt8(ascii: "}")
        if added.names.indices.allSatisfy({ found.row(0)[$0].kind == .absent }) {
            if needsComma, addedText.count > 2 { bytes.append(",") }
            addedText.withFilled { bytes.append(Text(rebasing: $0.dropFirst())) }
            return
        }
        addedText.withFilled { addedText in
            for member in JSONMembers.all(of: addedText) where !isOwn(member.name, of: added) {
                if needsComma { bytes.append(",") }
                needsComma = true
                bytes.append(Text(rebasing: addedText[Int(member.span.start)..<Int(member.span.end)]))
            }
        }
        bytes.append("}")
    }

    private func isOwn(_ name: String, of added: ExplodeStage.AddedFields) -> Bool {
        name.index(in: added.names).map { found.row(0)[$0].kind != .absent } ?? false
    }
}

extension Records {
    /// Makes one record of each element of a list or a map, in place of the record that contains
    /// it.
    ///
    /// The elements of a map are objects with `key` and `value`. An element that is an object
    /// becomes the record, unless `target` names a field for it; any other element replaces the
    /// list in a copy of the record.
    ///
    /// - Parameters:
    ///   - target: the field for the element.
    ///   - kept: the other fields to add to an element that becomes the record or, with `target`,
    ///     to keep. By default none are added, and all are kept.
    public func explode(
        _ field: String, as target: String? = nil, keeping kept: [String]? = nil, name: String? = nil, onError: FailurePolicy = .deadLetter
    ) -> Records {
        adding(Explode.self, name, onError: onError) { script in
            var keys = ["field": script.argument(field)]
            keys["as"] = target.map { script.argument($0) }
            keys["keep"] = kept.map { script.argument($0) }
            return .keys(Arguments(keys))
        }
    }
}
