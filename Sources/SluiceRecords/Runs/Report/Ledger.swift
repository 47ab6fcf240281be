import Sluice

/// The books of a run: what came in, per input and per stage, and what became of it.
struct Ledger: Sendable {
    /// A line for each place.
    private(set) var books: Books
    /// For each place, the place that its records come from.
    private let before: [Int?]
    /// For each place, the number of records that exceeded its timeout.
    private(set) var timeouts: [Int]
    /// For each input, the counts of its records over all stages.
    private(set) var inputs: [InputCounts]
    private(set) var codes: [String: Int] = [:]
    /// For each code, the first failure in input order.
    private(set) var firsts: [String: LedgerState.First] = [:]
    /// Records written to all outputs.
    private(set) var written = 0
    /// Of all inputs. Kept, since there may be a million, and the totals are asked for after each
    /// batch.
    private var read = 0
    private var suspect: UInt64 = 0
    /// The end of the last committed batch.
    private(set) var end: (input: Int, position: Position, compressedBytes: UInt64)?

    struct InputCounts: Sendable, Equatable, Codable {
        var records = 0
        var written = 0
        var filtered = 0
        var dead = 0
        var absorbed = 0
        var added = 0
        var suspect: UInt64 = 0
        var damage: [Damage] = []
    }

    init(_ places: [PlannedPlace], inputs: Int) {
        books = Books(stages: places.map(\.name))
        before = places.map(\.before)
        timeouts = Array(repeating: 0, count: places.count)
        self.inputs = Array(repeating: InputCounts(), count: inputs)
    }

    mutating func add(_ batch: EncodedBatch) {
        books.add(batch.counts)
        for (index, count) in batch.timeouts.enumerated() { timeouts[index] += count }
        let written = batch.outputs.reduce(0) { $0 + $1.records }
        self.written += written
        codes.merge(batch.codes, uniquingKeysWith: +)
        for (code, failure) in batch.firsts where firsts[code] == nil { firsts[code] = LedgerState.First(input: batch.input, failure: failure) }
        guard let input = batch.input else { return }
        inputs[input].records += batch.counts.first?.in ?? 0
        read += batch.counts.first?.in ?? 0
        suspect += batch.suspect
        inputs[input].written += written
        for counts in batch.counts {
            inputs[input].filtered += counts.filtered + counts.dropped
            inputs[input].dead += counts.dead
            inputs[input].absorbed += counts.absorbed
            inputs[input].added += counts.added
        }
        inputs[input].suspect += batch.suspect
        inputs[input].damage += batch.damage
        if let position = batch.end { end = (input, position, batch.compressedBytes) }
    }

    var state: LedgerState {
        LedgerState(
            books: books.stages.map { LedgerState.Line($0.counts) }, timeouts: timeouts, inputs: inputs, codes: codes, firsts: firsts, written: written,
            end: end.map { LedgerState.End(input: $0.input, position: $0.position, compressedBytes: $0.compressedBytes) })
    }

    /// Restores the books of an unfinished run. Must be called before anything is added.
    mutating func restore(_ state: LedgerState) throws(RunError) {
        guard state.books.count == books.stages.count, state.timeouts.count == timeouts.count, state.inputs.count == inputs.count else {
            throw .unfinished(reason: "its ledger has other stages or inputs")
        }
        books.add(state.books.map(\.counts))
        (timeouts, inputs, codes, written) = (state.timeouts, state.inputs, state.codes, state.written)
        read = inputs.reduce(0) { $0 + $1.records }
        suspect = inputs.reduce(0) { $0 + $1.suspect }
        firsts = state.firsts
        end = state.end.map { ($0.input, $0.position, $0.compressedBytes) }
    }

    var records: RunReport.Records {
        RunReport.Records(
            read: read, written: written, filtered: books.total(\.filtered) + books.total(\.dropped),
            dead: books.total(\.dead), absorbed: books.total(\.absorbed), added: books.total(\.added), suspect: Int(suspect))
    }

    /// Whether each account balances, each stage matches the next, and the total of dead letters
    /// matches the sum over their codes.
    var isBalanced: Bool {
        let records = records
        guard records.read == inputs.reduce(0, { $0 + $1.records }) else { return false }
        let perInput = inputs.allSatisfy { $0.records + $0.added == $0.written + $0.filtered + $0.dead + $0.absorbed }
        return books.balance(read: records.read, written: records.written, before: before) && perInput && codes.values.reduce(0, +) == records.dead
    }
}

/// The state of a ``Ledger`` in a checkpoint.
struct LedgerState: Codable, Sendable {
    struct Line: Codable, Sendable {
        var received: Int
        var out: Int
        var filtered: Int
        var dropped: Int
        var dead: Int
        var added: Int
        var absorbed: Int

        init(_ counts: StageCounts) {
            (received, out, filtered, dropped) = (counts.in, counts.out, counts.filtered, counts.dropped)
            (dead, added, absorbed) = (counts.dead, counts.added, counts.absorbed)
        }

        var counts: StageCounts {
            StageCounts(in: received, out: out, filtered: filtered, dropped: dropped, dead: dead, added: added, absorbed: absorbed)
        }
    }

    struct End: Codable, Sendable {
        var input: Int
        var position: Position
        var compressedBytes: UInt64
    }

    struct First: Codable, Sendable {
        var input: Int?
        var failure: FirstFailure
    }

    var books: [Line]
    var timeouts: [Int]
    var inputs: [Ledger.InputCounts]
    var codes: [String: Int]
    var firsts: [String: First]
    var written: Int
    var end: End?
}
