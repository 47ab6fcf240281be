public import Sluice
package import SluiceCEL

/// `summarize`: groups the records, and produces one record per group when the input has ended.
package struct Summarize: Verb {
    package static let declaration = Declaration(
        "summarize", "groups the records, and returns one record per group at the end of the input",
        argument: .keys([
            ArgumentKey(
                "by", .possiblyEmpty(.entries(key: .newField, value: .expression)), example: "by: {status: status}",
                "the expressions that identify a group; without them, all records are one group"),
            ArgumentKey(
                "values", .entries(key: .newField, value: .expression), example: "values: {requests: count()}",
                "the aggregates to compute for each group"),
            ArgumentKey(
                "order", .choice(["first", "key"]), default: "first", example: "order: key",
                "the order of the groups: by their first records, or by their keys"),
        ]),
        example: "summarize: {by: {status: status}, values: {requests: count(), bytes: sum(bytes)}}",
        elsewhere: ["group", "group_by", "groupby", "aggregate", "agg", "stats", "stats1", "count", "count_by", "reduce", "fold", "rollup"])

    enum Order: String, Sendable {
        case first, key
    }

    let by: [(name: String, value: CellProgram)]
    let values: [(name: String, call: AggregateCall)]
    let order: Order

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys else { return nil }
        let (by, values) = (keys["by"]?.entries ?? [], keys["values"]?.entries ?? [])
        if by.isEmpty, values.isEmpty {
            checking.report("nothing to compute", at: argument.place, fix: "write '\(Self.declaration.example)'")
        }
        for (index, entry) in values.enumerated() where by.contains(where: { $0.key.text.isSame(as: entry.key.text) }) {
            checking.report("'\(entry.key.text)' is both in 'by' and in 'values'", at: values[index].key.place, fix: "rename one of them")
        }
        self.by = by.compactMap { entry in
            entry.value.leaf.flatMap { checking.program($0, "'\(entry.key.text)'") }.map { (entry.key.text, $0) }
        }
        self.values = values.compactMap { entry in
            entry.value.leaf.flatMap { AggregateCall($0, "'\(entry.key.text)'", &checking) }.map { (entry.key.text, $0) }
        }
        order = keys["order"]?.leaf.flatMap { Order(rawValue: $0.text) } ?? .first
        guard self.by.count == by.count, self.values.count == values.count, !fields.isEmpty else {
            checking.fields = .open
            return nil
        }
        var after = Schema.known([])
        for field in fields { after.set(field.name, type: field.type) }
        checking.fields = after
    }

    /// The fields of the records that it produces.
    var fields: [Schema.Field] {
        by.map { Schema.Field(name: $0.name, type: $0.value.type) } + values.map { Schema.Field(name: $0.name, type: $0.call.aggregate.type) }
    }

    package var mentions: [String] { by.flatMap(\.value.fieldNames) + values.flatMap { $0.call.value?.fieldNames ?? [] } }

    package var keepsMuch: Bool { !by.isEmpty }
    package func mayAdvise(reading format: any Format) -> Bool { NumbersAsText.mayBe(in: format) && !ordered.isEmpty }
    package func advice(on records: [ValueMap]) -> String? {
        ordered.lazy.compactMap { NumbersAsText($0, over: records).text }.first
    }

    /// What the aggregates order.
    private var ordered: [CellProgram] {
        values.compactMap { $0.call.aggregate is ExtremeAggregate ? $0.call.value : nil }.filter(\.mayBeText)
    }

    package func makeStep(_ stage: RecordStage) -> Step { .closing(SummarizeStep(self, stage.room)) }
}

extension Records {
    /// The order of the groups of a summary.
    public enum GroupOrder: String, Sendable {
        /// By their first records.
        case first
        /// By their keys.
        case key
    }

    /// Groups the records, and passes on one record for each group when the input has ended. See
    /// docs/pipeline-file.md for the aggregates.
    ///
    /// ```swift
    /// .summarize(
    ///     ["requests": "count()", "bytes": "sum(record.?bytes)"], by: ["status": "status"],
    ///     order: .key)
    /// ```
    ///
    /// - Parameters:
    ///   - values: the aggregates to compute for each group.
    ///   - by: the expressions that identify a group; without them, all records are one group.
    public func summarize(
        _ values: KeyValuePairs<String, String> = [:], by: KeyValuePairs<String, String> = [:], order: GroupOrder = .first, name: String? = nil,
        onError: FailurePolicy = .deadLetter
    ) -> Records {
        adding(Summarize.self, name, onError: onError) { script in
            var keys = ["order": script.argument(order.rawValue)]
            if !values.isEmpty { keys["values"] = script.argument(values) }
            if !by.isEmpty { keys["by"] = script.argument(by) }
            return .keys(Arguments(keys, at: script.place))
        }
    }
}
