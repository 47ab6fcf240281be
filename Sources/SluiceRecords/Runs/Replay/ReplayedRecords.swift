import Sluice
import SluiceCEL

/// The dead letters in a batch whose records are fed in again.
struct ReplayedRecords: Sendable {
    /// A dead letter whose record is a frame of the batch.
    struct Record: Sendable {
        var position: Position
        /// The number of attempts so far.
        var attempts: Int
        /// The place of the stage that refused it, if the pipeline has it.
        var place: Int?
        var path: String
        var identity: Hash128
    }

    /// A dead letter that is not replayed.
    struct Kept: Sendable {
        var beforeFrame: Int
        var stage: String
        var failure: RecordFailure
        var letter: KeptLetter
        var spilled: SpilledRecord?
    }

    let replay: Replay
    /// One for each frame.
    var records: [Record] = []
    var kept: [Kept] = []
    /// The number of letters that were dealt with before, and of empty lines.
    var passedOver = 0

    var spills: [String] { kept.compactMap(\.spilled?.spill) }

    /// Adds the letters that are not replayed to the books of the source.
    func enter(_ batch: RecordBatch, _ counts: inout StageCounts) {
        counts.in += kept.count + passedOver
        counts.dead += kept.count
        counts.filtered += passedOver
        for kept in kept {
            batch.refuse(RefusedRecord(frame: kept.beforeFrame, spilled: kept.spilled, kept: kept.letter), at: kept.stage, with: kept.failure)
        }
    }

    /// What became of the records, once the batch is encoded.
    func outcome(of batch: RecordBatch) -> ReplayOutcome {
        var isWritten = Array(repeating: false, count: records.count)
        batch.noteWritten(in: &isWritten)
        var failures: [Int: [String]] = [:]
        for letter in batch.deadLetters {
            guard let record = letter.element as? RefusedRecord, record.isFrame else { continue }
            failures[record.frame, default: []].append(letter.stage)
        }
        var outcome = ReplayOutcome(kept: kept.count)
        for (frame, record) in records.enumerated() {
            let failures = failures[frame] ?? []
            if !failures.isEmpty { outcome.dead += 1 } else if isWritten[frame] { outcome.resolved += 1 } else { outcome.filtered += 1 }
            // What fails again as a whole can be replayed from either file. Otherwise, its parts
            // are in the new one only.
            let failsAsWhole = !failures.isEmpty && !isWritten[frame] && failures.allSatisfy { replay.targets.path(ofStage: $0) == record.path }
            if !failsAsWhole { outcome.settled.append(record.identity) }
        }
        return outcome
    }
}

/// What became of the dead letters of one batch.
struct ReplayOutcome: Sendable {
    var resolved = 0
    var filtered = 0
    var dead = 0
    var kept = 0
    /// Letters that need not be replayed again.
    var settled: [Hash128] = []
}

extension RecordBatch {
    /// Notes the frames of the records that reached a sink and were encoded.
    fileprivate func noteWritten(in isWritten: inout [Bool]) {
        for part in parts { part.noteWritten(in: &isWritten) }
        guard stretch.sink != nil else { return }
        for row in rows { isWritten[origin(Int(row))] = true }
    }
}
