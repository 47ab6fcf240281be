import Glibc
import SluiceCEL

/// Verifies a finished run from its files alone: reads every input, every output and the dead
/// letters, counts their records, and compares the counts with the report.
///
/// Takes about as long as reading those files once. Standard input cannot be read again and is
/// skipped.
package struct Audit: Sendable {
    /// One comparison.
    package struct Finding: Sendable, Equatable {
        /// The subject: a file, a stage or `run`.
        package var subject: String
        package var quantity: String
        package var reported: String
        package var found: String

        package var holds: Bool { reported == found }
    }

    package private(set) var findings: [Finding] = []
    /// Inputs and outputs that could not be read again, with the reason.
    package private(set) var skipped: [String] = []

    package var holds: Bool { findings.allSatisfy(\.holds) }

    /// - Parameter scratchFolder: where records over the size limit are spilled while they are
    ///   counted.
    package init(_ report: RunReport, scratchFolder: String) throws(RunError) {
        recount(report)
        let inputs = report.framing?.inputFraming ?? .lines
        let outputs = report.framing?.outputs?.framing ?? .lines
        for input in report.inputs { try reread(input, inputs, report.framing, scratchFolder) }
        guard report.status == .complete || report.status == .losses else { return }
        for output in report.outputs { try reread(output, output.framing?.framing ?? outputs, scratchFolder) }
        try reread(report.deadLetters, scratchFolder)
    }

    private mutating func compare<Quantity: Equatable>(_ subject: String, _ quantity: String, _ reported: Quantity, _ found: Quantity) {
        findings.append(Finding(subject: subject, quantity: quantity, reported: "\(reported)", found: "\(found)"))
    }

    /// Checks the report's counts against each other.
    private mutating func recount(_ report: RunReport) {
        let records = report.records
        compare(
            "run", "read = written + filtered + dead + absorbed - added", records.read + records.added,
            records.written + records.filtered + records.dead + records.absorbed)
        compare("run", "records read, over all inputs", records.read, report.inputs.reduce(0) { $0 + $1.records })
        compare("run", "dead letters, over all codes", records.dead, report.deadLetters.byCode.values.reduce(0, +))
        for input in report.inputs {
            compare(
                input.file, "records + added = written + filtered + dead + absorbed", input.records + input.added,
                input.written + input.filtered + input.dead + input.absorbed)
        }
        for stage in report.stages {
            compare(
                "stage '\(stage.name)'", "in + added = out + filtered + dead + absorbed", stage.in + stage.added,
                stage.out + stage.filtered + stage.dead + stage.absorbed)
        }
        compareStages(of: report)
        guard report.status == .complete || report.status == .losses else { return }
        compare("run", "records written, over all outputs", records.written, report.outputs.reduce(0) { $0 + $1.records })
        compare("run", "dead letters in the file", records.dead, report.deadLetters.records)
    }

    /// What comes out of a stage must go into the stages after it: one, or several where a flow
    /// divides.
    private mutating func compareStages(of report: RunReport) {
        var before = report.stages.first?.name
        var received: [(stage: String, by: String, count: Int)] = []
        for next in report.stages.dropFirst() {
            if let stage = next.after ?? before {
                if let index = received.firstIndex(where: { $0.stage.isSame(as: stage) }) {
                    received[index].count += next.in
                    received[index].by += "', '\(next.name)"
                } else {
                    received.append((stage, next.name, next.in))
                }
            }
            before = next.name
        }
        for (stage, by, count) in received {
            guard let out = report.stages.first(where: { $0.name.isSame(as: stage) })?.out else { continue }
            compare("stage '\(by)'", "in = out of '\(stage)'", count, out)
        }
    }

    private mutating func reread(_ input: RunReport.Input, _ framing: Framing, _ framings: RunReport.Framings?, _ folder: String) throws(RunError) {
        guard input.file != "-" else {
            skipped.append("standard input cannot be read again")
            return
        }
        guard input.whole else {
            skipped.append("\(input.file) was not read to its end by the run")
            return
        }
        let encoding = framings?.encoding.flatMap { TextEncoding(rawValue: $0) } ?? .utf8
        let summary = try Self.read(input.file, folder, framing, maxRecord: framings?.maxRecord, encoding: encoding) { _ in }
        compare(input.file, "bytes", input.bytes, summary.bytes)
        compare(input.file, "members", input.members, summary.members)
        compare(input.file, "records", UInt64(input.records), summary.records + summary.spilled)
        compare(input.file, "damage", input.damage, summary.damage.map(RunReport.DamageRecord.init))
    }

    private mutating func reread(_ output: RunReport.Output, _ framing: Framing, _ folder: String) throws(RunError) {
        guard output.file != "-" else {
            skipped.append("standard output cannot be read again")
            return
        }
        if let table = output.table { return try reread(output, table) }
        // The reader gives up on an unclosed quote after `maxRecord` bytes. Written output has
        // none, so the limit may exceed any record.
        let summary = try Self.read(output.file, folder, framing, maxRecord: framing == .lines ? nil : 1 << 30) { _ in }
        compare(output.file, "bytes", output.bytes, summary.bytes)
        compare(output.file, "records", UInt64(output.records), summary.records + summary.spilled)
        compare(output.file, "damage", 0, summary.damage.count)
        do {
            compare(output.file, "sha256", output.sha256, try Digest.ofFile(output.file))
        } catch {
            throw .input(error)
        }
    }

    private mutating func reread(_ output: RunReport.Output, _ table: String) throws(RunError) {
        do throws(InputError) {
            compare(output.file, "bytes", output.bytes, try InputDescriptor(InputFile(path: output.file)).size ?? 0)
            compare(output.file, "sha256", output.sha256, try Digest.ofFile(output.file))
        } catch {
            throw .input(error)
        }
        do throws(SQLiteDatabase.Fault) {
            let database = try SQLiteDatabase(output.file, .reading)
            // A run without records may have had no columns to make a table of.
            let count = try database.tables().containsSame(as: table) ? database.count(of: table) : 0
            compare(output.file, "records", output.records, count)
        } catch {
            throw .input(.unreadable(path: output.file, reason: error.message))
        }
    }

    private mutating func reread(_ letters: RunReport.DeadLetters, _ folder: String) throws(RunError) {
        let decoder = JSONLinesDecoder(columns: ["error"], spans: false)
        let table = RowTable(columns: 1, hasSpans: false)
        let reader = JSONReader()
        var codes: [String: Int] = [:]
        let summary = try Self.read(letters.file, folder) { (batch) throws(InputError) in
            for letter in batch.spilled { codes[try Self.code(of: letter), default: 0] += 1 }
            table.prepare(rows: batch.frames.count)
            decoder.decode(batch.frames, of: UnsafePointer(batch.bytes.start), into: table)
            for row in 0..<table.rows {
                codes[Self.code(table.row(row)[0], reader), default: 0] += 1
            }
        }
        compare(letters.file, "dead letters", UInt64(letters.records), summary.records + summary.spilled)
        for code in Set(letters.byCode.keys).union(codes.keys).sorted() {
            compare(letters.file, "dead letters with code '\(code)'", letters.byCode[code] ?? 0, codes[code] ?? 0)
        }
    }

    /// The code in a dead letter's `error`; `unreadable` if it has none.
    private static func code(_ error: Cell, _ reader: JSONReader) -> String {
        guard error.kind == .json,
            case .success(.map(let error)) = Result(catching: { () throws(EvaluationError) in
                try reader.value(ofJSON: error.textBytes)
            })
        else { return "unreadable" }
        guard case .string(let code)? = error["code"] else { return "unreadable" }
        return code
    }

    /// The code of a dead letter that is too long for memory. It comes before the record's own
    /// bytes.
    private static func code(of letter: SpilledRecord) throws(InputError) -> String {
        let text = try SpillReader(letter).beginning().withFilled { String(decoding: $0.prefix(64 << 10), as: UTF8.self) }
        guard let start = text.firstRange(of: #""error":{"code":""#)?.upperBound, let end = text[start...].firstIndex(of: "\"") else {
            return "unreadable"
        }
        return String(text[start..<end])
    }

    private static func read(
        _ path: String, _ folder: String, _ framing: Framing = .lines, maxRecord: Int? = nil, encoding: TextEncoding = .utf8,
        _ look: (Batch) throws(InputError) -> Void
    ) throws(RunError) -> InputSummary {
        do throws(InputError) {
            let buffers = BufferPool(capacity: Batch.targetBytes, most: 2)
            var configuration = BatchReader.Configuration(spillFolder: folder)
            configuration.framing = framing
            configuration.encoding = encoding
            if let maxRecord { configuration.maxRecord = maxRecord }
            let reader = try BatchReader(InputFile(path: path), index: 0, configuration: configuration, buffers: buffers)
            defer { reader.close() }
            while let batch = try reader.next() {
                try look(batch)
                for record in batch.spilled { unlink(record.spill) }
                buffers.give(batch.bytes)
            }
            return reader.summary
        } catch {
            throw .input(error)
        }
    }
}
