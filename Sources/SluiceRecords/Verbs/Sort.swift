public import Sluice
package import SluiceCEL

/// `sort`: orders the records by the values of expressions, and passes them on when the input has
/// ended.
package struct Sort: Verb {
    package static let declaration = Declaration(
        "sort", "returns the records in sorted order at the end of the input",
        argument: .keys([
            ArgumentKey(
                "by",
                .short(
                    .list(
                        .short(
                            .expression, for: "asc",
                            in: [
                                ArgumentKey("asc", .expression, example: "asc: time", "from the least to the greatest"),
                                ArgumentKey("desc", .expression, example: "desc: bytes", "from the greatest to the least"),
                            ])), for: "by", in: []), isRequired: true, example: "by: [status, {desc: bytes}]",
                "the first that differs decides; records that are equal in all of them keep their order"),
            ArgumentKey("limit", .integer(1...1_000_000_000), example: "limit: 10", "how many records to return; by default all"),
        ]),
        example: "sort: {by: [{desc: bytes}], limit: 10}",
        elsewhere: ["order_by", "orderby", "order", "arrange", "sort_by"])

    struct Key: Sendable {
        var value: CellProgram
        var isDescending: Bool
    }

    let keys: [Key]
    let limit: Int?

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let arguments = argument.keys, let by = arguments["by"]?.list else { return nil }
        let keys = by.compactMap { Self.key($0, &checking) }
        guard keys.count == by.count else { return nil }
        self.keys = keys
        limit = arguments["limit"]?.integer
    }

    private static func key(_ argument: Argument, _ checking: inout Checking) -> Key? {
        guard let keys = argument.keys else { return nil }
        let (up, down) = (keys["asc"]?.leaf, keys["desc"]?.leaf)
        guard let leaf = up ?? down, up == nil || down == nil else {
            checking.report("each element of 'by' must be one expression", at: argument.place, fix: "write 'by: [status, {desc: bytes}]'")
            return nil
        }
        return checking.program(leaf, "'by'").map { Key(value: $0, isDescending: up == nil) }
    }

    package var mentions: [String] { keys.flatMap(\.value.fieldNames) }
    package var keepsMuch: Bool { true }
    package var returnsAll: Bool { limit == nil }
    package func mayAdvise(reading format: any Format) -> Bool { NumbersAsText.mayBe(in: format) && keys.contains { $0.value.mayBeText } }
    package func advice(on records: [ValueMap]) -> String? {
        keys.lazy.compactMap { NumbersAsText($0.value, over: records).text }.first
    }
    package var passesFields: Bool { true }

    package func makeStep(_ stage: RecordStage) -> Step { .closing(SortStep(self, stage.room)) }
}

extension Records {
    /// An expression to sort by.
    public enum SortKey: Sendable, ExpressibleByStringLiteral {
        /// From the least to the greatest value.
        case ascending(String)
        /// From the greatest to the least value.
        case descending(String)

        public init(stringLiteral expression: String) {
            self = .ascending(expression)
        }
    }

    /// Orders the records by the values of expressions, and passes them on when the input has
    /// ended. Records with equal values stay in input order.
    ///
    /// - Parameters:
    ///   - by: at least one expression; the first one that differs decides.
    ///   - limit: the number of records to keep from the start of the order; by default all.
    ///   - onError: what happens to a record for which an expression fails.
    public func sort(by keys: [SortKey], limit: Int? = nil, name: String? = nil, onError: FailurePolicy = .deadLetter) -> Records {
        precondition(limit.map { $0 > 0 } ?? true, "'limit' must be at least 1, not \(limit ?? 0)")
        return adding(Sort.self, name, onError: onError) { script in
            let by = keys.map { key -> Argument in
                switch key {
                case .ascending(let text): .keys(Arguments(["asc": script.argument(text)], at: script.place))
                case .descending(let text): .keys(Arguments(["desc": script.argument(text)], at: script.place))
                }
            }
            var arguments = ["by": Argument.list(by, script.place)]
            if let limit { arguments["limit"] = .integer(limit, script.place) }
            return .keys(Arguments(arguments))
        }
    }
}
