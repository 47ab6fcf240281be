import CBytes
import SluiceCEL

/// A table in memory, with an index over one column.
///
/// `@unchecked Sendable`: nothing changes after `init`. Unsafe memory lives here: cells point into
/// the buffers and tables in `kept`.
final class LookupTable: @unchecked Sendable {
    enum Key {
        case value(String)
        case network(String)

        var column: String {
            switch self {
            case .value(let name), .network(let name): name
            }
        }
    }

    /// Why the table cannot be used.
    struct Fault: Error {
        var message: String
        var fix: String?
        /// The key of the stage that is at fault.
        var part = Part.file

        /// A key of the stage.
        enum Part {
            case file, column, table
            /// The name of a column to add.
            case select(String)
        }
    }

    private enum Index {
        case values(GroupTable)
        case networks(NetworkIndex)
    }

    let file: String
    let sha256: String
    private let unit: String
    /// The columns that are added to records.
    let added: [String]
    /// The kinds of the keys.
    private var kinds: Swift.Set<Cell.Kind> = []
    private var index = Index.values(GroupTable(seed: 0))
    /// The added cells of each row, one for all of them if they are added as a map.
    private var cells: [Cell] = []
    private let width: Int
    /// Owns the memory that cells point to.
    private var kept: [(ByteBuffer, RowTable)] = []
    private let scratch = Scratch(reader: JSONReader())

    private(set) var rows = 0

    /// Whether all keys are values of text, not networks.
    var holdsTextOnly: Bool {
        guard case .values = index else { return false }
        return kinds == [.string]
    }

    /// Whether all keys are numbers.
    var holdsNumbersOnly: Bool { !kinds.isEmpty && kinds.isSubset(of: [.int, .uint, .double, .decimal]) }

    /// What a table consists of before its keys are known.
    struct Rows {
        var batches: [Batch]
        var format: any Format
        var names: [String]
        /// What the number of a row is called in messages.
        var unit = "line"
    }

    /// - Parameters:
    ///   - selected: the columns to add; `nil` for all but the key's.
    ///   - isMap: whether they are added as a map.
    convenience init(_ file: String, _ format: any Format, _ key: Key, selected: [String]?, asMap isMap: Bool = false) throws(Fault) {
        try self.init(file, Self.rows(of: file, format), key, selected: selected, asMap: isMap)
    }

    static func rows(of file: String, _ format: any Format) throws(Fault) -> Rows {
        var batches: [Batch] = []
        // For rows over the size limit, which make the table invalid.
        let scratch = ScratchFolder(of: "table")
        defer { scratch.remove() }
        do throws(InputError) {
            // It is read twice: for its digest, too.
            try InputFile(path: file).checkIsRegular()
            let reader = try Self.reader(of: file, format, scratch)
            while let batch = try reader.next() { batches.append(batch) }
        } catch {
            throw unreadable(error)
        }
        let (format, names) = try Self.fields(of: format, batches, file)
        return Rows(batches: batches, format: format, names: names)
    }

    private static func unreadable(_ error: InputError) -> Fault {
        Fault(message: "\(error)", fix: "the table is a file; relative paths start from the current folder")
    }

    init(_ file: String, _ rows: Rows, _ key: Key, selected: [String]?, asMap isMap: Bool = false) throws(Fault) {
        self.file = file
        unit = rows.unit
        do throws(InputError) {
            sha256 = try Digest.ofFile(file)
        } catch {
            throw Self.unreadable(error)
        }
        let (batches, format, names) = (rows.batches, rows.format, rows.names)
        guard names.containsSame(as: key.column) else { throw Self.noColumn(key.column, names, file, .column) }
        for name in selected ?? [] where !names.containsSame(as: name) { throw Self.noColumn(name, names, file, .select(name)) }
        added = selected ?? names.filter { !$0.isSame(as: key.column) }
        width = isMap ? 1 : added.count
        for batch in batches {
            guard let fault = batch.faults.first else { continue }
            throw Fault(message: "'\(file)', byte \(batch.offset + UInt64(fault.start)): \(fault.message)")
        }
        let decoder = format.makeDecoder(columns: [key.column] + added, spans: false)
        var builder = Builder(key, file, unit)
        for batch in batches { try add(batch, decoder, &builder, asMap: isMap) }
        switch key {
        case .value: index = .values(builder.values)
        case .network: index = .networks(try builder.networkIndex())
        }
    }

    private static func reader(of file: String, _ format: any Format, _ scratch: ScratchFolder) throws(InputError) -> BatchReader {
        let input = InputFile(path: file)
        var configuration = BatchReader.Configuration(scratch: scratch)
        configuration.onDamage = .fail
        configuration.framing = format.framing
        let buffers = BufferPool(capacity: Batch.targetBytes + 4096, most: 1)
        return try BatchReader(input, of: try FileSource([input]).open(input, at: 0), index: 0, configuration: configuration, buffers: buffers)
    }

    /// The format, completed by the file's head, and the fields of the rows.
    private static func fields(of format: any Format, _ batches: [Batch], _ file: String) throws(Fault) -> (any Format, [String]) {
        var format = format
        if let inferring = format as? any InferringFormat, inferring.infersTypes, let sample = batches.first(where: { !$0.frames.isEmpty }) {
            format = inferring.inferring(from: sample).format
        }
        if let headed = format as? any HeadedFormat, headed.needsHead {
            guard let head = batches.lazy.compactMap(\.head).first else {
                throw Fault(message: "'\(file)' has no header", fix: "add one, or list its 'columns'")
            }
            if let problem = batches.lazy.compactMap({ $0.head?.problem }).first { throw Fault(message: "'\(file)': \(problem)") }
            guard batches.allSatisfy({ $0.head == nil || $0.head == head }) else {
                throw Fault(message: "'\(file)' has several headers", fix: "split it into one file per header")
            }
            format = headed.completed(by: head)
        } else if let headed = format as? any HeadedFormat, let head = batches.lazy.compactMap(\.head).first {
            format = headed.completed(by: head)
        }
        if case .known(let fields) = format.schema { return (format, fields.map(\.name)) }
        var names: [String] = []
        var known: Swift.Set<Name> = []
        let decoder = format.makeDecoder(columns: [], spans: false)
        let table = RowTable(columns: 0, hasSpans: false)
        for batch in batches where !batch.frames.isEmpty {
            table.prepare(rows: batch.frames.count)
            decoder.decode(batch.frames, of: UnsafePointer(batch.bytes.start), into: table)
            let bytes = table.objects?.bytes ?? batch.bytes
            for frame in table.objects?.frames ?? batch.frames {
                let text = UnsafeBufferPointer(start: UnsafePointer(bytes.start) + Int(frame.start), count: Int(frame.count))
                for name in JSONMembers.names(of: text) where known.insert(Name(name)).inserted { names.append(name) }
            }
        }
        return (format, names)
    }

    private static func noColumn(_ name: String, _ names: [String], _ file: String, _ part: Fault.Part) -> Fault {
        let hint = didYouMean(name, among: names)
        return Fault(message: "'\(file)' has no column '\(name)'\(hint)", fix: "its columns are: \(names.joined(separator: ", "))", part: part)
    }

    private func add(_ batch: Batch, _ decoder: any RecordDecoder, _ builder: inout Builder, asMap isMap: Bool) throws(Fault) {
        if let long = batch.spilled.first { throw Fault(message: "'\(file)', \(unit) \(long.position.line): the row is too long") }
        let table = RowTable(columns: 1 + added.count, hasSpans: false)
        table.prepare(rows: batch.frames.count)
        let (bytes, frames) = batch.onSingleLines() ?? (batch.bytes, batch.frames)
        if !frames.isEmpty { decoder.decode(frames, of: UnsafePointer(bytes.start), into: table) }
        kept.append((bytes, table))
        if let failure = table.failures.first {
            throw Fault(message: "'\(file)', \(unit) \(batch.position(ofFrame: failure.row).line): \(failure.message)")
        }
        for row in batch.frames.indices where table.outcomes[row] != .blank {
            let line = batch.position(ofFrame: row).line
            let values = table.row(row)
            kinds.insert(values[0].kind)
            try builder.add(values[0], line: line, scratch)
            rows += 1
            if isMap {
                cells.append(object(values))
            } else {
                for column in added.indices { cells.append(values[1 + column].kind == .null ? .absent : values[1 + column]) }
            }
        }
    }

    private func object(_ values: UnsafePointer<Cell>) -> Cell {
        let buffer = ByteBuffer(capacity: 256)
        var object = JSONObjectWriter(buffer)
        for (column, name) in added.enumerated() { object.write(name, values[1 + column], scratch) }
        object.end()
        return buffer.withFilled { scratch.text(.json, copying: $0) }
    }

    /// - Parameter column: of those that are added; 0 for the map.
    @inline(__always)
    func cell(_ row: Int, _ column: Int) -> Cell { cells[row * width + column] }

    /// The networks, if that is what the keys are.
    var networks: NetworkIndex? {
        guard case .networks(let networks) = index else { return nil }
        return networks
    }

    /// Asks for the memory of the cells of some rows, without waiting for it. A row of -1 is none.
    func prefetch(_ rows: UnsafeBufferPointer<Int32>) {
        cells.withUnsafeBufferPointer { cells in
            guard let first = cells.baseAddress else { return }
            for row in rows where row >= 0 {
                cbytes_prefetch(UnsafeRawPointer(first + Int(row) * width).assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    /// The row for a key.
    ///
    /// - Parameter buffer: scratch space for the key's bytes.
    func find(_ key: Cell, _ buffer: ByteBuffer, _ scratch: Scratch) throws(EvaluationError) -> Int? {
        guard key.kind != .absent else { return nil }
        switch index {
        case .networks(let networks): return networks.find(key, scratch)
        case .values(let table):
            buffer.count = 0
            _ = try GroupKey.append(key, to: buffer, scratch)
            return table.find(buffer.start, buffer.count, hash: table.hash(buffer.start, buffer.count))
        }
    }
}

extension LookupTable {
    /// Collects the keys of the rows, which must be unique.
    fileprivate struct Builder {
        let values = GroupTable(seed: UInt64.random(in: .min ... .max))
        private var networks = NetworkIndex.Entries()
        /// The keys of the networks, and their lines.
        private var keys: [(cell: Cell, line: UInt64)] = []
        private let key: Key
        private let file: String
        private let unit: String
        private let bytes = ByteBuffer(capacity: 256)

        init(_ key: Key, _ file: String, _ unit: String) {
            self.unit = unit
            self.key = key
            self.file = file
        }

        mutating func add(_ cell: Cell, line: UInt64, _ scratch: Scratch) throws(Fault) {
            guard cell.kind != .absent, cell.kind != .null else {
                throw Fault(message: "'\(file)', \(unit) \(line): '\(key.column)' is missing", fix: "every row needs a key")
            }
            switch key {
            case .value: try addValue(cell, line, scratch)
            case .network: try addNetwork(cell, line)
            }
        }

        private func addValue(_ cell: Cell, _ line: UInt64, _ scratch: Scratch) throws(Fault) {
            bytes.count = 0
            do throws(EvaluationError) {
                _ = try GroupKey.append(cell, to: bytes, scratch)
            } catch {
                throw Fault(message: "'\(file)', \(unit) \(line): \(error.message)")
            }
            let hash = values.hash(bytes.start, bytes.count)
            if let other = values.find(bytes.start, bytes.count, hash: hash) {
                throw twice(line, UInt64(values.first(of: other).offset), cell)
            }
            let nothing = UnsafeBufferPointer<UInt8>(start: UnsafePointer(bytes.start), count: 0)
            _ = values.insert(bytes.filled, hash: hash, first: RecordPlace(input: 0, offset: line, part: 0), written: nothing)
        }

        private mutating func addNetwork(_ cell: Cell, _ line: UInt64) throws(Fault) {
            guard cell.kind == .string, let network = NetworkIndex.Network(cell.textBytes) else {
                throw Fault(
                    message: "'\(file)', \(unit) \(line): '\(Self.text(of: cell))' is not a network",
                    fix: "write networks such as '10.0.0.0/8' or '2001:db8::/32', or addresses",
                    part: .column)
            }
            networks.append(network, row: Int32(keys.count))
            keys.append((cell, line))
        }

        func networkIndex() throws(Fault) -> NetworkIndex {
            let index = NetworkIndex(networks)
            if let (earlier, later) = index.repetition { throw twice(keys[Int(later)].line, keys[Int(earlier)].line, keys[Int(later)].cell) }
            return index
        }

        private func twice(_ line: UInt64, _ other: UInt64, _ cell: Cell) -> Fault {
            Fault(
                message: "'\(file)', \(unit) \(line): duplicate key '\(Self.text(of: cell))' (first on \(unit) \(other))",
                fix: "keep one row per key", part: .column)
        }

        private static func text(of cell: Cell) -> String {
            let buffer = ByteBuffer(capacity: 64)
            if cell.kind == .string { return String(decoding: cell.textBytes, as: UTF8.self) }
            JSONText.write(cell, Scratch(), to: buffer)
            return buffer.withFilled { String(decoding: $0, as: UTF8.self) }
        }
    }
}
