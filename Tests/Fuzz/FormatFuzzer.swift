import Foundation
import Sluice
import SluiceCEL

@testable import SluiceRecords

/// Decodes text in each format, and writes its records as JSON lines.
///
/// What is written must be valid JSON, one line for each record, and be read as the same records
/// again.
struct FormatFuzzer: Fuzzer {
    static let name = "format"

    /// Each format with its defaults, and some with options.
    static let formats: [any Format] = {
        let place = TextPlace(TextPosition(line: 1, column: 1))
        let definitions: [(String, [String: Argument])] = [
            ("jsonl", [:]), ("json", [:]), ("json", ["records": .leaf(Leaf("a.b"))]), ("combined", [:]),
            ("combined", ["vhost": .flag(true, place), "unescape": .flag(true, place)]), ("common", [:]), ("csv", [:]),
            ("csv", ["separator": .leaf(Leaf(";")), "comment": .leaf(Leaf("#"))]), ("tsv", [:]), ("logfmt", [:]), ("syslog", [:]), ("lines", [:]),
            ("regex", ["pattern": .leaf(Leaf(#"(?P<a>\w+)=(?P<b>.*)"#))]),
            ("access", ["nginx": .leaf(Leaf(#"$remote_addr [$time_local] "$request" $status"#))]), ("access", ["apache": .leaf(Leaf(#"%h %t "%r" %>s %b"#))]),
        ]
        return definitions.map { name, options in
            var checking = Checking(label: "fuzz")
            guard let format = Formats.named(name)?.init(options.isEmpty ? nil : Arguments(options), &checking) else {
                preconditionFailure("\(name): \(checking.diagnostics)")
            }
            return format
        }
    }()

    private let plans: [Plan]
    private let scratches = FreeList<Scratch>(most: 4)

    init() {
        plans = Self.formats.map { Self.plan($0) }
    }

    private static func plan(_ format: any Format) -> Plan {
        Plan(
            RecordPipeline(
                name: "fuzz", definition: "sha256:0", source: SourceSettings(FileSource([InputFile(path: "in", size: 0)]), format: format), stages: [],
                sink: SinkSettings(FileSink(PathTemplate(pieces: [.text("out.jsonl")])), format: JSONL()), deadLetters: "dead.jsonl"))
    }

    var seeds: [[UInt8]] {
        let texts = [
            "{\"a\":1,\"b\":[true,null,-1.5e3,\"x\\u00e9\\n\"]}\n{ \"c\" : {} }\n", "[{\"a\":{\"b\":[{\"c\":1}]}},\n{}]",
            "10.0.0.1 - bob [10/Oct/2025:13:55:36 +0200] \"GET /a\\x22?q=1 HTTP/1.1\" 200 12 \"-\" \"curl/8\"\n",
            "h - - [10/Oct/2025:13:55:36 +0000] \"-\" 404 -\n", "a,b\n1,\"x\n\"\"y\"\n,\"\"\n", "a\tb\n1\t\\N\n#fields\tc\n\\t\n",
            "a=1 b=\"x \\\"y\\\"\" flag c=\n",
            "<34>1 2003-10-11T22:14:15.003+02:00 h su - ID47 [a@1 k=\"x\\]y\"][b@2] m\n<13>Nov 28 10:48:19 vm app[7]: hello\n",
            "h [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 404\n", "h [10/Oct/2025:13:55:36 +0000] \"GET / HTTP/1.1\" 404 1\n", "ab=1\n",
        ].map { Array($0.utf8) }
        return (0..<UInt8(plans.count)).flatMap { first in texts.map { [first] + $0 } }
    }

    func run(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let index = Int(first) % plans.count
        let written = lines(of: Array(bytes.dropFirst()), Self.formats[index], plans[index])
        let again = lines(of: written.flatMap { $0 + [0x0A] }, Self.formats[0], plans[0])
        require(again.count == written.count, "\(written.count) records were written, and \(again.count) read")
    }

    /// The records, each as a line of JSON.
    private func lines(of text: [UInt8], _ format: any Format, _ plan: Plan) -> [[UInt8]] {
        var configuration = BatchReader.Configuration(spillFolder: "/nowhere")
        configuration.framing = format.framing
        // Everything is text here: a magic number would be another fuzzer's input.
        var rest = text[...]
        let source = SourceStage(plan, scratches: scratches)
        var written: [[UInt8]] = []
        do throws(InputError) {
            let reader = try BatchReader(
                InputFile(path: "in", size: UInt64(text.count)), index: 0, configuration: configuration, buffers: BufferPool(capacity: 4096, most: 2),
                window: InputWindow { memory in
                    let next = rest.prefix(memory.count)
                    memory.copyBytes(from: next)
                    rest = rest.dropFirst(next.count)
                    return next.count
                }, bytes: nil)
            while let batch = try reader.next() {
                for record in batch.spilled { unlink(record.spill) }
                let records = source.decode(batch)
                require(records.counts[0].balances, "the books do not balance: \(records.counts[0])")
                let writer = records.stretch.sink(of: 0)?.writer
                for row in records.rows {
                    let buffer = ByteBuffer(capacity: 256)
                    do throws(RecordFailure) {
                        try writer?.write(Int(row), of: records, to: buffer)
                    } catch {
                        continue
                    }
                    let line = buffer.withFilled { Array($0) }
                    require(line.last == 0x0A && !line.dropLast().contains(0x0A), "not one line")
                    require(buffer.withFilled { UTF8Text.isValid($0) }, "not UTF-8")
                    written.append(line.dropLast())
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
