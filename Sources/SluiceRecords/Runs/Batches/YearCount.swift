import SluiceCEL

/// Finds the years of times without one, in the order of the input.
///
/// The first of them is in the year that the definition gives. Each other is in the year that
/// brings it closest to the one before, by months: January after December is in the next year, and
/// December after January, a record that came late, in the year before.
///
/// `@unchecked Sendable`: called for one batch at a time, in the order of the input.
final class YearCount: @unchecked Sendable {
    private let zone: Int
    private let code: String
    private var year: Int
    /// The month of the latest record; `nil` before the first.
    private var month: Int?

    /// - Returns: `nil` if the format has no such times.
    init?(_ format: any Format) {
        guard let dated = format as? any DatedFormat, let year = dated.timeDefaults.year else { return nil }
        self.year = year
        code = "parse.\(format.name)"
        zone = dated.timeDefaults.zone ?? 0
    }

    /// Its name in checkpoints, which no stage can have.
    static let name = "source: years"

    func settle(_ batch: RecordBatch) {
        guard let column = batch.segment.timeColumn else { return }
        var impossible: [UInt32] = []
        for row in batch.rows {
            let cell = batch.table.row(Int(row))[column]
            guard YearlessTime.isYearless(cell) else { continue }
            advance(to: YearlessTime.month(of: cell))
            if let time = YearlessTime.cell(cell, in: year, zone: zone) {
                batch.table.row(Int(row))[column] = time
            } else {
                batch.table.row(Int(row))[column] = .absent
                impossible.append(row)
            }
        }
        guard !impossible.isEmpty else { return }
        batch.refuseAtSource(impossible, with: RecordFailure(code: code, message: "29 February in a year without one; is source.year right?"))
    }

    private func advance(to next: Int) {
        let step = next - (month ?? next)
        if step <= -6 { year += 1 }
        if step > 6 { year -= 1 }
        month = next
    }

    var checkpoint: StageState {
        let count = UInt64(bitPattern: Int64(year)) << 8 | UInt64(month ?? 0)
        return StageState(bytes: (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) })
    }

    func restore(_ state: StageState) throws(CheckpointError) {
        let state = state.bytes
        guard state.count == 8, state[0] <= 12 else { throw CheckpointError("not a year and a month") }
        let count = state.enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
        year = Int(Int64(bitPattern: count) >> 8)
        month = state[0] == 0 ? nil : Int(state[0])
    }
}
