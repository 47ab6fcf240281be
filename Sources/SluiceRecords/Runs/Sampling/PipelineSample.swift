import SluiceCEL

/// Findings from the first records of a pipeline's inputs: their fields, and conditions that no
/// record meets.
package struct PipelineSample: Sendable {
    /// The records at one place, after the source or a stage.
    package struct Place: Sendable {
        /// `source`, or the name of the stage.
        package var name: String
        package var `in`: Int
        package var out: Int
        package var dead: Int
        /// The fields in order of first occurrence.
        package var fields: [Field]
        /// The first record that failed at this place.
        package var firstFailure: RunReport.Failure?
        var records: [ValueMap]
    }

    package struct Field: Sendable {
        package var name: String
        /// The number of records with the field.
        package var count: Int
        /// The types of its values, each with the number of values.
        package var types: [(name: String, count: Int)]
    }

    /// A probable mistake.
    package struct Finding: Sendable, Equatable {
        package var stage: String
        package var message: String
    }

    package private(set) var places: [Place] = []
    package private(set) var findings: [Finding] = []
    /// The stage at which sampling ended because it calls other programs.
    package private(set) var end: String?

    /// - Parameters:
    ///   - texts: the beginnings of the inputs.
    ///   - limit: the maximum number of records from the source.
    package init(
        of pipeline: RecordPipeline, texts: [(name: String, text: [UInt8])], limit: Int, state: String
    ) async throws(RunError) {
        for count in 0...pipeline.stages.count {
            if count > 0, pipeline.stages[count - 1].verb.callsOthers {
                end = pipeline.stages[count - 1].name
                break
            }
            places.append(try await Self.place(after: count, of: pipeline, texts, limit, state))
        }
        for message in MissingColumns(of: pipeline.source)?.messages ?? [] { findings.append(Finding(stage: "source", message: message)) }
        for (number, stage) in pipeline.stages.enumerated() where number + 1 < places.count {
            look(at: stage, before: places[number], after: places[number + 1])
        }
        guard end == nil else { return }
        try await look(below: pipeline.flow, at: [], named: "", offered: places[pipeline.stages.count].out) {
            route, count throws(RunError) in
            try await Trial.run(pipeline, on: texts, route: route, stages: count, limit: limit, state: state)
        }
    }

    /// Looks at some stages before any routes, and runs no more of the pipeline than they need.
    ///
    /// - Parameters:
    ///   - stages: their numbers. Those after a stage that calls other programs are left out.
    ///   - isFirstFutile: whether the first stage is a filter that is known to pass none of the
    ///     inputs' records, which spares trying it.
    ///   - limit: the maximum number of records from the source.
    package static func findings(
        at stages: [Int], of pipeline: RecordPipeline, isFirstFutile: Bool, texts: [(name: String, text: [UInt8])], limit: Int, state: String
    ) async throws(RunError) -> [Finding] {
        var sample = PipelineSample()
        var last: (count: Int, place: Place)?
        for number in stages.sorted() where !pipeline.stages[...number].contains(where: { $0.verb.callsOthers }) {
            let before: Place
            if let last, last.count == number { before = last.place } else { before = try await place(after: number, of: pipeline, texts, limit, state) }
            let after: Place
            if number == 0, isFirstFutile {
                after = Place(name: pipeline.stages[0].name, in: before.out, out: 0, dead: 0, fields: [], records: [])
            } else {
                after = try await place(after: number + 1, of: pipeline, texts, limit, state)
            }
            sample.look(at: pipeline.stages[number], before: before, after: after)
            last = (number + 1, after)
        }
        return sample.findings
    }

    private init() {}

    /// What the first `count` stages make of the inputs.
    private static func place(
        after count: Int, of pipeline: RecordPipeline, _ texts: [(name: String, text: [UInt8])], _ limit: Int, _ state: String
    ) async throws(RunError) -> Place {
        let trial = try await Trial.run(pipeline, on: texts, stages: count, limit: limit, state: state)
        if let error = trial.report.error { throw .fault(error) }
        return place(at: trial.report.stages[count], of: trial, reading: count == 0 ? pipeline.source.format.schema : nil)
    }

    /// Looks at the routes that a flow ends in, at their stages, and at the routes in them.
    ///
    /// - Parameters:
    ///   - path: the numbers of the routes that lead to the flow.
    ///   - prefix: their names, each followed by `/`.
    ///   - offered: the number of records at the end of the flow's stages.
    ///   - trial: runs the stages before a route, and the first of its own.
    private mutating func look(
        below flow: RecordFlow, at path: [Int], named prefix: String, offered: Int, trial: (_ route: [Int], _ stages: Int) async throws(RunError) -> Trial
    ) async throws(RunError) {
        guard case .routes(let routes) = flow.end else { return }
        for (index, route) in routes.all.enumerated() {
            guard let name = route.name else { continue }
            try await look(at: route.flow, at: path + [index], named: prefix + name, offered: offered, trial: trial)
        }
    }

    private mutating func look(
        at flow: RecordFlow, at path: [Int], named name: String, offered: Int, trial: (_ route: [Int], _ stages: Int) async throws(RunError) -> Trial
    ) async throws(RunError) {
        let stages = flow.stages
        var before: Place?
        for count in 0...stages.count {
            if count > 0, stages[count - 1].verb.callsOthers { return }
            let trial = try await trial(path, count)
            if let error = trial.report.error { throw .fault(error) }
            let own = "\(name)/\(count == 0 ? SinkStage.name : stages[count - 1].name)"
            guard let books = trial.report.stages.first(where: { $0.name.isSame(as: own) }) else { return }
            let place = Self.place(at: books, of: trial)
            if let before {
                places.append(place)
                look(at: stages[count - 1], as: own, before: before, after: place)
            } else if books.in == 0, offered > 0 {
                findings.append(Finding(stage: "route '\(name)'", message: "none of \(offered) records goes to it"))
                return
            }
            before = place
        }
        guard let offered = before?.records.count, offered > 0 else { return }
        try await look(below: flow, at: path, named: name + "/", offered: offered, trial: trial)
    }

    /// - Parameter schema: at the source, the fields of its format.
    private static func place(at books: RunReport.Stage, of trial: Trial, reading schema: Schema? = nil) -> Place {
        let records = trial.records.compactMap { line -> ValueMap? in
            guard case .map(let map)? = Value(json: line) else { return nil }
            return map
        }
        let failure = trial.report.deadLetters.first?.values.first { $0.stage == books.name }
        var fields = Self.fields(of: records)
        // JSON has no type for times.
        if let schema {
            for (index, field) in fields.enumerated() {
                guard let type = schema.type(of: field.name), type != .dyn, field.types.count == 1 else { continue }
                fields[index].types[0].name = type.description
            }
        }
        return Place(name: books.name, in: books.in, out: books.out, dead: books.dead, fields: fields, firstFailure: failure, records: records)
    }

    private static func fields(of records: [ValueMap]) -> [Field] {
        var order: [Name] = []
        var counts: [Name: [(name: String, count: Int)]] = [:]
        for entry in records.lazy.flatMap(\.entries) {
            guard case .string(let key) = entry.key else { continue }
            let name = Name(key)
            let type = entry.value.type.description
            if counts[name] == nil { order.append(name) }
            if let index = counts[name]?.firstIndex(where: { $0.name == type }) {
                counts[name]?[index].count += 1
            } else {
                counts[name, default: []].append((type, 1))
            }
        }
        return order.map { name in
            let types = (counts[name] ?? []).sorted { $0.count > $1.count }
            return Field(name: name.text, count: types.reduce(0) { $0 + $1.count }, types: types)
        }
    }

    /// `null` or `-`, which stand for no value, if a field of some records has nothing else.
    private static func onlyWord(of name: String, in records: [ValueMap]) -> String? {
        let values = records.compactMap { $0[name] }
        guard let first = values.first else { return nil }
        if values.allSatisfy({ $0 == .null }) { return "null" }
        return first == .string("-") && values.allSatisfy { $0 == first } ? "'-'" : nil
    }

    /// - Parameter name: the name of the stage in findings, if it is not its own.
    private mutating func look(at stage: RecordStage, as name: String? = nil, before: Place, after: Place) {
        let shown = name ?? stage.name
        guard before.out > 0 else { return }
        let there = before.fields.map(\.name)
        let names = there + after.fields.map(\.name)
        var reported: [String] = []
        for name in stage.verb.reads where name.index(in: names) == nil && name.index(in: reported) == nil {
            reported.append(name)
            findings.append(Finding(stage: shown, message: "no record has the field '\(name)'" + didYouMean(name, among: there)))
        }
        for name in stage.verb.reads {
            guard let word = Self.onlyWord(of: name, in: before.records) else { continue }
            findings.append(Finding(stage: shown, message: "the field '\(name)' is \(word) in every record that has it"))
        }
        if let advice = stage.verb.advice(on: before.records) { findings.append(Finding(stage: shown, message: advice)) }
        guard let filter = stage.verb as? any FilterVerb, after.dead < after.in else { return }
        let passed = after.out
        let isNever = type(of: filter).keeps ? passed == 0 : passed == after.in - after.dead
        guard isNever, reported.isEmpty else { return }
        let reason = ConditionReason(filter.condition.program, over: before.records).text
        let count = after.in == 1 ? "the only record" : "any of \(after.in) records"
        findings.append(
            Finding(stage: shown, message: "'\(filter.condition.text)' is not true for \(count)" + (reason.map { ": \($0)" } ?? "")))
    }
}
