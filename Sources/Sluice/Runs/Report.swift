/// What became of every element, while a run goes on or after its end.
public struct Report: Sendable {
    public enum Status: String, Sendable {
        case running
        /// Every element was written or left out on purpose.
        case complete
        /// The run came to its end, but with dead letters or dropped elements.
        case losses
        case failed
        /// Drained before the source's end; what was written is the beginning of what a whole run
        /// writes.
        case interrupted
    }

    public struct Stage: Sendable {
        public var name: String
        public var counts: StageCounts
        public var retries: Int
        public var timeouts: Int
        /// Time spent in the stage's closure, summed over its workers; waiting inside the closure
        /// counts.
        public var busy: Duration
        /// Time that its workers held results that the next stage had no room for, if it was
        /// measured.
        package var waited = Duration.zero
        /// Whether it takes one element at a time, in order, and has no workers.
        package var isOrdered = false
        /// Elements that wait for a worker.
        public var queued: Int
        public var running: Int
        public var workers: Workers
    }

    public struct Workers: Sendable, Hashable {
        public var min: Int
        public var max: Int
        /// The limit as it stands.
        public var now: Int
        /// The highest number so far.
        public var peak: Int
    }

    /// What is done before the first stage or after the last, if it was measured.
    package struct Activity: Sendable, Hashable {
        package var busy = Duration.zero
        /// For room in what comes next.
        package var waited = Duration.zero
        package var elements = 0

        package init(busy: Duration = .zero, waited: Duration = .zero, elements: Int = 0) {
            (self.busy, self.waited, self.elements) = (busy, waited, elements)
        }
    }

    /// One part of the source.
    public struct Part: Sendable, Hashable {
        /// Elements read from it.
        public var read = 0
        /// Whether it was read to its end.
        public var ended = false
    }

    public var status = Status.running
    public var elapsed = Duration.zero
    /// Elements that the source gave.
    public var read = 0
    /// Elements that came out of the last stage and were committed.
    public var written = 0
    /// Letters that the dead letters' sink was given.
    public var deadLetters = 0
    public var parts: [Part] = []
    /// In the order of the pipeline.
    public var stages: [Stage] = []
    /// The element after which a stage had enough, so that the run ended there.
    public var enough: Place?

    /// Reading the parts of the source, by all readers.
    package var reading = Activity()
    /// The number of parts that are read at the same time.
    package var readers = 0
    /// Writing to the sinks of the pipeline, one element at a time.
    package var writing = Activity()

    /// The first element that a stage gave up because the run was being drained: the run ended
    /// before it.
    package var abandoned: Place?

    public var hadEnough: Bool { enough != nil }

    public var books: Books { Books(stages.map { Books.Stage(name: $0.name, counts: $0.counts) }) }

    public var filtered: Int { total(\.filtered) }
    public var dropped: Int { total(\.dropped) }
    public var dead: Int { total(\.dead) }
    public var added: Int { total(\.added) }
    public var absorbed: Int { total(\.absorbed) }

    /// Elements that were read and have no outcome: still inside, or given up when the run stopped
    /// early.
    public var open: Int { read + added - written - filtered - dropped - dead - absorbed }

    /// Whether every element is accounted for, over all and between each stage and the next.
    ///
    /// A run that stopped early balances if it lost nothing but what it gave up.
    public var balanced: Bool {
        let isWhole = (status == .complete || status == .losses) && !hadEnough
        func isFine(_ rest: Int) -> Bool { isWhole ? rest == 0 : rest >= 0 }
        return books.balance(read: read, written: written, isWhole: isWhole) && isFine(dead - deadLetters) && isFine(open)
    }

    private func total(_ count: KeyPath<StageCounts, Int>) -> Int { books.total(count) }
}

extension Report: CustomStringConvertible {
    /// The ledger as a table for people.
    public var description: String {
        var lines = ["\(status.rawValue): read \(read), written \(written), dead \(dead), in \(elapsed)"]
        for stage in stages {
            let counts = stage.counts
            var line = "  \(stage.name): in \(counts.in), out \(counts.out)"
            let others = [
                ("filtered", counts.filtered), ("dropped", counts.dropped), ("dead", counts.dead),
                ("added", counts.added), ("absorbed", counts.absorbed), ("retries", stage.retries),
                ("timeouts", stage.timeouts),
            ]
            for (name, count) in others where count > 0 { line += ", \(name) \(count)" }
            lines.append(line)
        }
        if !balanced { lines.append("  the ledger does not balance") }
        return lines.joined(separator: "\n")
    }
}
