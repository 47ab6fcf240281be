import Foundation
import Sluice
import SluiceCEL
import SluiceDefinition
import Synchronization

@testable import SluiceRecords

/// Reads bytes as the files of a plan, or as the result of one of its tasks, which is gathered with
/// that of another.
///
/// What is refused is refused with a reason. The tasks of a plan that is accepted read all inputs,
/// each once, and what is said of a single task is the same as what is said of all. The books of
/// what is gathered balance.
struct PlanFuzzer: Fuzzer {
    static let name = "plan"

    private let folder = FuzzFolder("plan")
    /// Divided after the sinks, and before a stage that needs the order of all records.
    private let divided: [DividedRun]

    private static let definitions = [
        """
        stages: [{set: {m: 100 / (n % 5)}}]
        match: all
        routes:
          - {name: a, when: n % 2 == 0, sink: {file: out/a.csv}}
          - {name: b, stages: [{summarize: {by: {k: k}, values: {n: count(), total: sum(m), first: first(n)}}}], sink: {file: out/b.jsonl}}
          - {name: c, sink: {file: 'out/k={k}/c.jsonl.gz'}}
        """,
        """
        stages:
          - {set: {words: "k.split(' ')", m: 100 / (n % 5)}}
          - {explode: {field: words, as: word}}
          - {set: {address: "ip('10.0.0.' + word)", times: "[timestamp('2026-01-01T00:00:00Z'), duration('1s')]", more: "{'a': [n, 1.5, null, b'x']}"}}
          - {redact: {fields: [k], with: mask}}
          - {dedupe: {by: word}}
          - {set: {family: address.family(), first: more.a}}
          - head: 5
        sink: {file: out/a.jsonl}
        """,
    ]

    init() {
        require(FileManager.default.changeCurrentDirectoryPath(folder.path), "no folder to work in")
        let folder = folder
        let records = { (from: Int) in (from..<from + 6).map { "{\"n\":\($0),\"k\":\"\($0 % 3) \($0)\"}\n" }.joined() }
        folder.write((records(1) + "damaged\n").utf8, to: "1.jsonl")
        folder.write((records(7) + "{\"n\":\"" + String(repeating: "long", count: 100) + "\"}\n" + records(20)).utf8, to: "2.jsonl")
        folder.write(records(30).utf8, to: "3.jsonl")
        divided = Self.definitions.enumerated().map { DividedRun($1, folder, "\($0)") }
    }

    var seeds: [[UInt8]] {
        divided.enumerated().flatMap { index, run -> [[UInt8]] in
            let first = UInt8(3 * index)
            let plans = [run.planBytes, [0] + run.planBytes.dropFirst()].map { [first] + $0 }
            return plans + (0..<2).flatMap { task in [1, 3].map { [first + 1 + UInt8(task), $0] + run.resultBytes(of: task) } }
        }
    }

    func run(_ bytes: [UInt8]) {
        guard bytes.count > 8 else { return }
        let run = divided[Int(bytes[0]) / 3 % divided.count]
        let rest = Array(bytes.dropFirst())
        if bytes[0] % 3 == 0 { PlanCheck(folder, rest).check() } else { run.gather(rest, as: Int(bytes[0] % 3) - 1) }
    }
}

/// A run that is divided into two tasks, which are done.
private struct DividedRun: Sendable {
    private let folder: FuzzFolder
    private let name: String
    private let pipeline: RecordPipeline
    private let plan: TaskPlan
    private let files: [[UInt8]]

    init(_ definition: String, _ folder: FuzzFolder, _ name: String) {
        (self.folder, self.name) = (folder, name)
        let text = "name: x\nsource: {files: '*.jsonl', format: jsonl, max_record: 200B}\n\(definition)\ndead_letter: dead.jsonl.gz\n"
        let checked = PipelineFile(path: "x.yaml", text: text).check()
        guard let pipeline = checked.pipeline else { preconditionFailure(checked.rendered()) }
        self.pipeline = pipeline
        let place = PlanFolder("\(folder.path)/\(name)")
        let made = TaskPlan(pipeline, file: "x.yaml", text: text, settings: [:], state: "\(folder.path)/state", tasks: 2)
        do throws(RunError) {
            plan = try place.create(made, of: pipeline.source.inputs, tables: [], typesFromFirst: false).0
            for task in 0..<2 {
                let inputs = try place.inputs(of: task, in: plan)
                let attempt = try TaskAttempt(inputs, of: plan, in: place)
                let run = RecordRun(pipeline.reading(inputs, of: plan), options: RunOptions(workers: 1, state: attempt.path))
                let isDone = waiting { (try? await run.run(attempt)) != nil }
                require(isDone, "a task that failed")
            }
        } catch {
            preconditionFailure("\(error)")
        }
        files = ["plan.json", "inputs.jsonl", "inputs.index"].map { folder.bytes(of: "\(name)/\($0)") ?? [] }
        let report = gathered()
        require(report?.status == .losses || report?.status == .complete, "the results cannot be gathered: \(report?.error ?? "")")
    }

    /// What ``PlanCheck`` divides into files.
    var planBytes: [UInt8] {
        [3, UInt8(truncatingIfNeeded: files[0].count), UInt8(truncatingIfNeeded: files[0].count >> 8), UInt8(files[2].count)] + files[0] + files[2] + files[1]
    }

    /// The result and the batches of a task, the heads of these replaced by their sizes in two
    /// bytes.
    func resultBytes(of task: Int) -> [UInt8] {
        let result = folder.bytes(of: file("result.json", of: task)) ?? []
        var batches = (folder.bytes(of: file("batches", of: task)) ?? [])[...]
        var bytes = [UInt8(truncatingIfNeeded: result.count), UInt8(truncatingIfNeeded: result.count >> 8)] + result
        while batches.count >= BatchSpool.headBytes {
            let count = Int(batches[batches.startIndex]) | Int(batches[batches.startIndex + 1]) << 8
            bytes += [UInt8(truncatingIfNeeded: count), UInt8(truncatingIfNeeded: count >> 8)] + batches.dropFirst(BatchSpool.headBytes).prefix(count)
            batches = batches.dropFirst(BatchSpool.headBytes + count)
        }
        return bytes
    }

    private func file(_ file: String, of task: Int) -> String { "\(name)/tasks/\(PlanFolder.name(of: task))/\(file)" }

    /// Gathers the results, that of one task made from bytes.
    func gather(_ bytes: [UInt8], as task: Int) {
        let flags = bytes[0]
        var rest = bytes.dropFirst()
        func take(_ count: Int) -> ArraySlice<UInt8> {
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func size() -> Int { take(2).reversed().reduce(0) { $0 << 8 | Int($1) } }
        var result = Array(take(size()))
        var (batches, count): ([UInt8], Int) = ([], 0)
        while flags & 1 == 1, !rest.isEmpty {
            let contents = Array(take(size()))
            let checksum = contents.withUnsafeBufferPointer { BatchSpool.checksum($0) }
            batches += UInt32(contents.count).littleEndianBytes + checksum.littleEndianBytes + contents
            count += 1
        }
        if flags & 1 == 0 { batches = Array(rest) }
        if flags & 2 == 2 { putRight(&result, of: task, batches, count) }
        let whole = ["result.json", "batches"].map { (file($0, of: task), folder.bytes(of: file($0, of: task)) ?? []) }
        folder.write(result, to: whole[0].0)
        folder.write(batches, to: whole[1].0)
        _ = gathered()
        for (name, bytes) in whole { folder.write(bytes, to: name) }
    }

    private func gathered() -> RunReport? {
        folder.remove("state")
        let place = PlanFolder("\(folder.path)/\(name)")
        var pipeline = pipeline
        let sinks = Locked<[MemorySink]>([])
        pipeline.flow = pipeline.flow.replacingSinks { settings in
            let sink = MemorySink(settings.sink.path, compression: settings.sink.compression)
            sinks.withLock { $0.append(sink) }
            var settings = settings
            settings.sink = sink
            return settings
        }
        let letters = MemorySink(PathTemplate(pipeline.deadLetters))
        pipeline.deadLetterSink = letters
        do throws(RunError) {
            let planned = try place.allInputs(of: plan)
            pipeline.source = pipeline.source.reading(planned.inputs)
            let gathered = try GatheredTasks(plan, planned, in: place)
            let report = finishedRun(of: pipeline, state: "\(folder.path)/state", gathering: gathered)
            let isPublished = report?.status == .complete || report?.status == .losses
            let published = sinks.withLock { $0.flatMap(\.names) } + letters.names
            require(isPublished || published.isEmpty, "a run that failed has published \(published)")
            return report
        } catch {
            require(!error.description.isEmpty, "an error without a message")
            return nil
        }
    }

    /// Writes what no mutation would get right: the plan, the task, the size of the batches, and
    /// the digests of the states.
    private func putRight(_ result: inout [UInt8], of task: Int, _ batches: [UInt8], _ count: Int) {
        let end = result.firstIndex(of: 0x0A) ?? result.endIndex
        let stored = result[end...].dropFirst()
        guard var object = (try? JSONSerialization.jsonObject(with: Data(result[..<end]))) as? [String: Any] else { return }
        (object["plan"], object["task"], object["bytes"], object["batches"]) = (plan.id, task, batches.count, count)
        if var starts = object["starts"] as? [Int], !starts.isEmpty {
            starts[starts.count - 1] = batches.count
            object["starts"] = starts
        }
        if let closing = object["closing"] as? [[String: Any]] {
            object["digests"] = closing.map { step in
                let state = step["state"] as? [String: Int]
                let bytes = Array(stored.dropFirst(max(0, state?["offset"] ?? 0)).prefix(max(0, state?["count"] ?? 0)))
                return bytes.withUnsafeBufferPointer { Digest.of($0) }
            }
        }
        guard let line = try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys) else { return }
        result = Array(line) + [0x0A] + stored
    }
}

/// Checks bytes as the files of a plan.
private struct PlanCheck {
    /// The number of tasks up to which each is looked at.
    private static let most = 100

    private let folder: FuzzFolder
    private let place: PlanFolder

    init(_ folder: FuzzFolder, _ bytes: [UInt8]) {
        self.folder = folder
        place = PlanFolder("\(folder.path)/read")
        folder.remove("read")
        folder.makeFolder("read")
        let rest = bytes.dropFirst(4)
        let planCount = Int(bytes[1]) | Int(bytes[2]) << 8
        let lines = rest.dropFirst(planCount + Int(bytes[3]))
        let index = bytes[0] & 1 == 0 ? Array(rest.dropFirst(planCount).prefix(Int(bytes[3]))) : Self.index(of: lines)
        folder.write(rest.prefix(planCount), to: "read/plan.json")
        folder.write(index, to: "read/inputs.index")
        folder.write(lines, to: "read/inputs.jsonl")
        if bytes[0] & 2 == 2 { putRight(lines) }
    }

    private static func index(of lines: ArraySlice<UInt8>) -> [UInt8] {
        let ends = lines.indices.filter { lines[$0] == 0x0A }.map { $0 - lines.startIndex + 1 }
        return ([0] + ends).flatMap { end in (0..<8).map { UInt8(truncatingIfNeeded: end >> (8 * $0)) } }
    }

    /// Writes the digest that the plan and the lines have.
    private func putRight(_ lines: ArraySlice<UInt8>) {
        guard var plan = try? place.plan(), let digest = try? PlanFolder.digest(of: plan) else { return }
        lines.withUnsafeBufferPointer { digest.update($0) }
        plan.id = digest.hex
        let encoder = JSONEncoder()
        guard let bytes = try? encoder.encode(plan) else { return }
        folder.write(bytes, to: "read/plan.json")
    }

    func check() {
        do throws(RunError) {
            let plan = try place.plan()
            _ = try? place.inputs(of: -1, in: plan)
            var single: [Int: TaskInputs] = [:]
            for task in 0..<plan.tasks where plan.tasks <= Self.most { single[task] = try? place.inputs(of: task, in: plan) }
            for (task, inputs) in single {
                require(inputs.task == task && inputs.bytes <= inputs.inputs.reduce(0) { $0 + UInt64($1.size) }, "task \(task): \(inputs)")
            }
            checkChange(plan, single)
            let all = try place.allInputs(of: plan)
            require(all.inputs.count == plan.inputs && all.shares.count == plan.tasks, "\(all.shares) of \(plan)")
            guard plan.tasks <= Self.most else { return }
            require(single.count == plan.tasks, "all tasks together are accepted, but not one alone")
            check(all, single)
        } catch {
            require(!error.description.isEmpty, "an error without a message")
        }
    }

    private func check(_ all: PlannedRun, _ single: [Int: TaskInputs]) {
        require(Set(all.shares.map(\.task)) == Set(single.keys), "not one share for each task: \(all.shares)")
        var pieces: [[(from: InputEnd?, to: InputEnd?)]] = all.inputs.map { _ in [] }
        for share in all.shares {
            guard let task = single[share.task] else { return }
            require(share.inputs == task.before..<task.before + task.inputs.count, "\(share), alone \(task)")
            for (offset, input) in task.inputs.enumerated() {
                let number = task.before + offset
                require(all.inputs[number].path == input.file.path && all.inputs[number].size == input.file.size, "\(all.inputs[number]), alone \(input)")
                let (isFirst, isLast) = (offset == 0, offset == task.inputs.count - 1)
                pieces[number].append((isFirst ? task.start.map { InputEnd($0) } : nil, isLast ? task.end : nil))
            }
        }
        for (number, pieces) in pieces.enumerated() {
            require(!pieces.isEmpty && pieces[0].from == nil && pieces[pieces.count - 1].to == nil, "input \(number) is not read whole: \(pieces)")
            for (one, next) in zip(pieces, pieces.dropFirst()) {
                require(one.to != nil && one.to == next.from, "input \(number) is read with a gap, or twice: \(pieces)")
            }
        }
    }

    /// Looks for inputs that have changed, if they are files of the folder.
    private func checkChange(_ plan: TaskPlan, _ single: [Int: TaskInputs]) {
        let inputs = plan.tables + single.values.flatMap(\.inputs)
        guard inputs.allSatisfy({ $0.version == nil && !$0.name.contains("/") && !$0.name.isEmpty && $0.name != "-" }) else { return }
        guard plan.tasks > Self.most || single.count == plan.tasks else { return }
        do throws(RunError) {
            if let change = try place.change(since: plan) { require(!change.description.isEmpty, "a change without a message") }
        } catch {
            require(!error.description.isEmpty, "an error without a message")
        }
    }
}
