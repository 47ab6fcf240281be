import Foundation
import SluiceDefinition

@testable import SluiceRecords

/// Replays bytes as a file of dead letters, twice, and then what failed again.
///
/// Each letter is accounted for, and what the preview says holds. The second replay, and that of
/// what failed again, add nothing. The file stays as it is.
struct ReplayFuzzer: Fuzzer {
    static let name = "replay"

    private let folder = FuzzFolder("replay")
    private let pipelines: [RecordPipeline]

    /// The lines of the pipelines after their names.
    private static let definitions = [
        "source: {files: in.log, format: jsonl, max_record: 200B}\nstages: [{set: {m: int(n) * 2}}, {keep: m != 4}]\nsink: {file: out/o.jsonl}",
        "source: {files: in.csv, format: csv}\nstages: [{set: {m: int(a) * 2}}]\nsink: {file: out/o.jsonl}",
        "source: {files: in.log, format: json}\nstages: [{set: {m: int(n) * 2}}]\nsink: {file: out/o.jsonl}",
        "source: {files: in.log, format: lines, on_damage: set_aside}\nstages: [{set: {m: int(line)}}, {redact: {fields: [line], with: mask}}]\n"
            + "sink: {file: out/o.jsonl.gz, format: {csv: {columns: [line, m]}}}",
        "source: {files: in.log, format: jsonl}\nmatch: all\nroutes:\n"
            + "  - {name: a, when: int(n) > 1, sink: {file: out/a.jsonl}}\n"
            + "  - {name: b, stages: [{set: {m: int(n) * 2}}], sink: [{file: out/b.jsonl}, {file: 'out/k={string(m)}/c.csv'}]}",
        "source: {files: in.log, format: jsonl}\nstages: [{set: {k: int(n)}}, {explode: {field: l, as: e}}, {set: {m: int(e)}}, {dedupe: {by: m}}]\n"
            + "sink: {file: out/o.jsonl}",
    ]
    /// Those of which each letter that is resolved is a line of `out/o.replay-1.jsonl`.
    private static let plain = 0..<3

    init() {
        require(FileManager.default.changeCurrentDirectoryPath(folder.path), "no folder to work in")
        let folder = folder
        folder.write("a,b\n1,x\n".utf8, to: "in.csv")
        pipelines = Self.definitions.map { text in
            let checked = PipelineFile(path: "x.yaml", text: "name: x\ndead_letter: dead.jsonl\n\(text)\n").check(mayLackInputs: true)
            guard let pipeline = checked.pipeline else { preconditionFailure(checked.rendered()) }
            return pipeline
        }
    }

    var seeds: [[UInt8]] {
        func letter(_ raw: String, stage: String = "set", code: String = "expression.failed", offset: Int = 0, more: String = "") -> String {
            let source = offset < 0 ? "null" : #"{"file":"in.csv","member":0,"offset":\#(offset),"line":2}"#
            let error = #"{"code":"\#(code)","message":"m"}"#
            return #"{"pipeline":"x","definition":"d","stage":"\#(stage)","error":\#(error),"attempts":1,"source":\#(source),\#(raw)\#(more)}"# + "\n"
        }
        let records = [
            #""raw":"{\"n\":1,\"l\":[1,2]}""#, #""raw":"{\"n\":\"x\",\"l\":[\"2\",\"y\"]}""#, #""raw":"2,y""#, #""raw":"7""#, #""raw_base64":"/zE=""#,
        ]
        let all = records.enumerated().map { letter($1, offset: 9 * $0) }.joined()
        let stages = ["source", "set", "b/set", "set-2", "explode", "dedupe", "redact", "a", "write", "gone"]
        let ofStages = stages.enumerated().map { letter(records[0], stage: $1, offset: $0) }.joined()
        let kept =
            letter(#""raw":null"#) + letter(records[0], offset: -1) + letter(records[0], code: "record.torn")
            + letter(records[0], code: "record.suspect")
            + letter(#""raw":"{\"n\":1}""#, code: "record.too_long", more: #","raw_cut":{"kept":7,"of":100}"#)
        let texts = [all, ofStages, kept, letter(records[1]) + "\n \n" + letter(records[1]), String(all.dropLast(9))]
        return Self.definitions.indices.flatMap { index in texts.map { [UInt8(index), 0] + Array($0.utf8) } }
    }

    func run(_ bytes: [UInt8]) {
        // Nothing is to be fetched.
        guard bytes.count > 2, !String(decoding: bytes, as: UTF8.self).contains("://") else { return }
        for name in folder.names(in: "") where name != "in.csv" { folder.remove(name) }
        let index = Int(bytes[0]) % pipelines.count
        let letters = Array(bytes.dropFirst(2))
        folder.write(letters, to: "letters")
        let found = replay("letters", index, repeats: bytes[1] & 1 == 1)
        require(folder.bytes(of: "letters") == letters, "the dead letters were changed")
        guard let found, found.report.status != .failed, let first = found.report.replay else { return }
        check(first, found.preview, letters)
        let failed = folder.bytes(of: "dead.replay-1.jsonl") ?? []
        if Self.plain.contains(index) {
            let written = (folder.bytes(of: "out/o.replay-1.jsonl") ?? []).count { $0 == 0x0A }
            require(written == first.resolved, "\(written) records written: \(first)")
            require(failed.count { $0 == 0x0A } == first.dead + first.kept, "other dead letters than \(first): \(String(decoding: failed, as: UTF8.self))")
        }
        addsNothing("letters", index, after: first)
        guard !failed.isEmpty else { return }
        addsNothing("dead.replay-1.jsonl", index, after: first)
    }

    private func check(_ replay: RunReport.Replay, _ preview: RunReport.Replay, _ letters: [UInt8]) {
        require(replay.isBalanced, "letters that are nowhere: \(replay)")
        require(
            (replay.letters, replay.kept, replay.known, replay.blank) == (preview.letters, preview.kept, preview.known, preview.blank),
            "the preview: \(preview)\nthe replay: \(replay)")
        // Nothing that is compressed, or has a byte order mark.
        guard let first = letters.first, first == 0x0A || first == UInt8(ascii: "{") else { return }
        let lines = letters.count { $0 == 0x0A } + (letters.last == 0x0A ? 0 : 1)
        require(replay.letters == lines, "\(lines) lines: \(replay)")
    }

    /// - Returns: `nil` if the letters are refused, or none would be processed.
    private func replay(_ letters: String, _ index: Int, repeats: Bool = false) -> (report: RunReport, preview: RunReport.Replay)? {
        do throws(RunError) {
            let file = try Replay.letters(at: letters)
            let replaying = try pipelines[index].replaying(file, state: "state", repeats: repeats)
            let preview = try replaying.replayPreview(of: file)
            require(preview.kept + preview.known + preview.blank <= preview.letters, "more than there is: \(preview)")
            guard !preview.isIdle, let done = finishedRun(of: replaying, state: RecordPipeline.replayFolder(in: "state")) else { return nil }
            return (done, preview)
        } catch {
            require(letters == "letters", "what a replay has written cannot be replayed: \(error)")
            require(!error.description.isEmpty, "an error without a message")
            return nil
        }
    }

    private func addsNothing(_ letters: String, _ index: Int, after first: RunReport.Replay) {
        let outputs = outputs
        guard let again = replay(letters, index) else { return }
        require(again.report.status != .failed, "replayed again: \(again.report.error ?? "")")
        guard let second = again.report.replay else { preconditionFailure("a replay without its report") }
        require(second.resolved == 0 && second.filtered == 0, "first: \(first)\nof \(letters) again: \(second)")
        require(second.dead <= first.dead, "first: \(first)\nof \(letters) again: \(second)")
        require(self.outputs == outputs, "outputs were added to \(outputs): \(self.outputs)")
    }

    private var outputs: Set<String> { Set((try? FileManager.default.subpathsOfDirectory(atPath: "out")) ?? []) }
}
