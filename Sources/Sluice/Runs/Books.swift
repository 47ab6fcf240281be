/// The books of a run: each stage's line of the ledger, in the order of the pipeline.
///
/// The books of parts of a run, or of several machines, add up to those of the whole.
public struct Books: Sendable, Hashable {
    public struct Stage: Sendable, Hashable {
        public var name: String
        public var counts: StageCounts

        public init(name: String, counts: StageCounts = StageCounts()) {
            self.name = name
            self.counts = counts
        }
    }

    public private(set) var stages: [Stage]

    public init(_ stages: [Stage] = []) {
        self.stages = stages
    }

    /// Empty books for stages of these names, each of which must be there once.
    public init(stages names: [String]) {
        stages = names.map { Stage(name: $0) }
    }

    /// The line of the stage with this name.
    public subscript(_ name: String) -> StageCounts? {
        stages.first { $0.name == name }?.counts
    }

    /// Adds to each stage's line.
    ///
    /// - Parameter counts: one for each stage, in their order.
    public mutating func add(_ counts: [StageCounts]) {
        precondition(counts.count == stages.count, "counts of \(counts.count) stages cannot be added to a ledger of \(stages.count)")
        for index in counts.indices { stages[index].counts += counts[index] }
    }

    /// Adds the books of another part of the same run.
    public mutating func merge(_ other: Books) {
        precondition(other.stages.map(\.name) == stages.map(\.name), "ledgers of different stages cannot be merged")
        add(other.stages.map(\.counts))
    }

    /// The sum over all stages.
    public func total(_ count: KeyPath<StageCounts, Int>) -> Int {
        stages.reduce(0) { $0 + $1.counts[keyPath: count] }
    }

    /// Whether every element is accounted for, in each stage and between each stage and the next.
    ///
    /// - Parameters:
    ///   - read: what went into the first stage.
    ///   - written: what came out of the last, or of all that no other follows.
    ///   - isWhole: whether the run came to its end. Of one that stopped early, elements may be
    ///     missing that were given up on the way; none may be there too often.
    ///   - before: for each stage the one that its elements come from, `nil` for those that are
    ///     read; by default the one before it. Where a flow divides, several come from one.
    public func balance(read: Int, written: Int, isWhole: Bool = true, before: [Int?]? = nil) -> Bool {
        func isFine(_ rest: Int) -> Bool { isWhole ? rest == 0 : rest >= 0 }
        let before = before ?? stages.indices.map { $0 == 0 ? nil : $0 - 1 }
        precondition(before.count == stages.count, "\(stages.count) stages need as many predecessors, not \(before.count)")
        var left = (read: read, after: stages.map(\.counts.out))
        var isLast = Array(repeating: true, count: stages.count)
        for (index, stage) in stages.enumerated() {
            guard isFine(stage.counts.open) else { return false }
            guard let place = before[index] else {
                left.read -= stage.counts.in
                continue
            }
            left.after[place] -= stage.counts.in
            isLast[place] = false
        }
        let ends = stages.indices.filter { isLast[$0] }.reduce(0) { $0 + left.after[$1] }
        guard isFine(stages.isEmpty ? read - written : left.read), stages.isEmpty || isFine(ends - written) else { return false }
        return stages.indices.allSatisfy { isLast[$0] || isFine(left.after[$0]) }
    }
}
