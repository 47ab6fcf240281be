import Foundation
import Sluice
import SluiceCEL

@testable import SluiceRecords

/// Decodes text in each format, and writes its records as JSON lines, and these in each format that
/// can be written.
///
/// What is written must be valid JSON, one line for each record, and be read as the same records
/// again, which then are written as the same lines. For other formats, see ``FormatRoundTrip``.
struct FormatFuzzer: Fuzzer {
    static let name = "format"

    /// Each format with its defaults, and some with options.
    static let formats: [any Format] = {
        let place = TextPlace(TextPosition(line: 1, column: 1))
        func types(_ types: [(String, String)]) -> Argument { .entries(types.map { (Leaf($0.0), .leaf(Leaf($0.1))) }, place) }
        let columns = Argument.list([.leaf(Leaf("a")), .leaf(Leaf("b")), .leaf(Leaf("c"))], place)
        let definitions: [(String, [String: Argument])] = [
            ("jsonl", [:]), ("json", [:]), ("json", ["records": .leaf(Leaf("a.b"))]), ("combined", [:]),
            ("combined", ["vhost": .flag(true, place), "unescape": .flag(true, place)]), ("common", [:]), ("csv", [:]),
            ("csv", ["separator": .leaf(Leaf(";")), "comment": .leaf(Leaf("#"))]), ("csv", ["quote": .leaf(Leaf("'")), "escape": .leaf(Leaf(#"\"#))]),
            ("csv", ["quote": .leaf(Leaf("none")), "trim": .flag(true, place)]), ("csv", ["trim": .flag(true, place), "at_least": .integer(1, place)]),
            ("csv", ["columns": columns, "types": types([("a", "int"), ("b", "timestamp"), ("c", "bool")]), "at_least": .integer(2, place)]),
            ("csv", ["types": types([("a", "double"), ("b", "int")])]), ("csv", ["types": .leaf(Leaf("infer"))]), ("tsv", ["types": .leaf(Leaf("infer"))]),
            ("tsv", [:]), ("logfmt", [:]), ("syslog", [:]), ("lines", [:]),
            ("regex", ["pattern": .leaf(Leaf(#"(?P<a>\w+)=(?P<b>.*)"#))]),
            ("access", ["nginx": .leaf(Leaf(#"$remote_addr [$time_local] "$request" $status"#))]), ("access", ["apache": .leaf(Leaf(#"%h %t "%r" %>s %b"#))]),
        ]
        return definitions.map { format($0, $1) } + [Syslog().completed(by: TimeDefaults(year: 2026, zone: 7200))]
    }()

    static func format(_ name: String, _ options: [String: Argument]) -> any Format {
        var checking = Checking(label: "fuzz")
        guard let format = Formats.named(name)?.init(options.isEmpty ? nil : Arguments(options), &checking) else {
            preconditionFailure("\(name): \(checking.diagnostics)")
        }
        return format
    }

    private let plans: [Plan]
    private let scratches = ScratchPool(most: 4, room: 1 << 30)

    init() {
        plans = Self.formats.map { Self.plan($0) }
    }

    static func plan(_ format: any Format, as written: any WritableFormat = JSONL()) -> Plan {
        Plan(
            RecordPipeline(
                name: "fuzz", definition: "sha256:0", source: SourceSettings(FileSource([InputFile(path: "in", size: 0)]), format: format), stages: [],
                sink: SinkSettings(FileSink(PathTemplate(pieces: [.text("out")])), format: written), deadLetters: "dead.jsonl"))
    }

    var seeds: [[UInt8]] {
        let texts = [
            "{\"a\":1,\"b\":[true,null,-1.5e3,\"x\\u00e9\\n\"]}\n{ \"c\" : {} }\n", "[{\"a\":{\"b\":[{\"c\":1}]}},\n{}]",
            "10.0.0.1 - bob [10/Oct/2025:13:55:36 +0200] \"GET /a\\x22?q=1 HTTP/1.1\" 200 12 \"-\" \"curl/8\"\n",
            "h - - [10/Oct/2025:13:55:36 +0000] \"-\" 404 -\n", "a,b\n1,\"x\n\"\"y\"\n,\"\"\n", "a\tb\n1\t\\N\n#fields\tc\n\\t\n",
            "a=1 b=\"x \\\"y\\\"\" flag c=\n",
            "<34>1 2003-10-11T22:14:15.003+02:00 h su - ID47 [a@1 k=\"x\\]y\"][b@2] m\n<13>Nov 28 10:48:19 vm app[7]: hello\n",
            "h [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 404\n", "h [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 404 1\n", "ab=1\n",
            "a,b,c\n1,2026-03-01T00:00:00Z,true\n-2.5,x,\n", "a,'b'\n 'x\\'y' , 2\n", "a\tb\n1\t0.5\n2\t\\N\n",
            "<13>Dec 31 23:59:59 h a: x\n<13>Jan  1 00:00:00 h a: y\n<13>Feb 29 12:00:00 h a: z\n",
        ].map { Array($0.utf8) }
        let awkward = [
            ##"{"a":"\\N","b":"x\ty\n\"z\"","#":"\ufeff"}"## + "\n" + #"{"c":" ","a":"NA","b":""}"# + "\n{\"a\":\"x\\r\"}\n{}\n",
            #"{"message":"\ufeffa ","priority":34,"structured_data":{"e@1":{"k":["a","]\\"]}}}"# + "\n" + #"{"time":"2026-11-28T10:00:00.1234567Z"}"# + "\n",
        ].map { Array($0.utf8) }
        let numbers = (0..<plans.count * FormatRoundTrip.all.count).map { UInt8($0) }
        return numbers.prefix(plans.count).flatMap { first in texts.map { [first] + $0 } }
            + stride(from: 0, to: numbers.count, by: plans.count).flatMap { first in awkward.map { [numbers[first]] + $0 } }
    }

    func run(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let index = Int(first) % plans.count
        let written = lines(of: Array(bytes.dropFirst()), Self.formats[index], plans[index])
        let again = lines(of: written.flatMap { $0 }, Self.formats[0], plans[0])
        require(again.count == written.count, "\(written.count) records were written, and \(again.count) read")
        for (line, other) in zip(written, again) {
            require(line == other, "written: \(String(decoding: line, as: UTF8.self))\nread: \(String(decoding: other, as: UTF8.self))")
        }
        FormatRoundTrip.all[Int(first) / plans.count % FormatRoundTrip.all.count].check(written, with: self)
    }

    /// The records, each as a line of JSON.
    private func lines(of text: [UInt8], _ format: any Format, _ plan: Plan) -> [[UInt8]] {
        let lines = texts(of: text, format, plan).compactMap { $0 }
        for line in lines {
            require(line.last == 0x0A && !line.dropLast().contains(0x0A), "not one line")
            require(String(validating: line, as: UTF8.self) != nil, "not UTF-8")
        }
        return lines
    }

    /// The plan for the types that the first records show, if the format infers any.
    private static func inferring(_ format: any Format, from batches: [Batch]) -> Plan? {
        guard let format = format as? any InferringFormat, format.infersTypes, let sample = batches.first(where: { !$0.frames.isEmpty }) else { return nil }
        return plan(format.inferring(from: sample).format)
    }

    /// The records as the plan's sink writes them; `nil` for one that it refuses.
    ///
    /// - Parameter columns: the fields of the output, if its format must know them.
    func texts(of text: [UInt8], _ format: any Format, _ plan: Plan, columns: [String] = []) -> [[UInt8]?] {
        var configuration = BatchReader.Configuration(spillFolder: "/nowhere")
        configuration.framing = format.framing
        // Everything is text here: a magic number would be another fuzzer's input.
        var rest = text[...]
        let years = YearCount(format)
        var written: [[UInt8]?] = []
        do throws(InputError) {
            let reader = try BatchReader(
                InputFile(path: "in", size: UInt64(text.count)), index: 0, configuration: configuration, buffers: BufferPool(capacity: 4096, most: 2),
                window: InputWindow { memory in
                    let next = rest.prefix(memory.count)
                    memory.copyBytes(from: next)
                    rest = rest.dropFirst(next.count)
                    return next.count
                }, bytes: nil)
            var batches: [Batch] = []
            while let batch = try reader.next() { batches.append(batch) }
            let source = SourceStage(Self.inferring(format, from: batches) ?? plan, scratches: scratches)
            for batch in batches {
                for record in batch.spilled { unlink(record.spill) }
                let records = source.decode(batch)
                years?.settle(records)
                require(records.counts[0].balances, "the books do not balance: \(records.counts[0])")
                let count = batch.frames.count + batch.spilled.count
                require(records.counts[0].in == count, "\(count) records, \(records.counts[0].in) in the books")
                require(records.counts[0].dead == records.deadLetters.count, "\(records.deadLetters.count) dead letters: \(records.counts[0])")
                let writer = records.stretch.sink(of: 0).map { $0.writer ?? $0.makeWriter(columns) }
                for row in records.rows {
                    let buffer = ByteBuffer(capacity: 256)
                    do throws(RecordFailure) {
                        try writer?.write(Int(row), of: records, to: buffer)
                        written.append(buffer.withFilled { Array($0) })
                    } catch {
                        written.append(nil)
                    }
                }
                records.release(scratches: scratches, buffers: BufferPool(capacity: 4096, most: 0))
            }
        } catch {
            return []
        }
        return written
    }
}

extension StageCounts {
    fileprivate var balances: Bool { self.in == out + filtered + dead + dropped }
}
