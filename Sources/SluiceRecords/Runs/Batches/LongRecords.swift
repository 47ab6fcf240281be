import Sluice
import Synchronization

/// Bounds how many records that are longer than a batch are held at once, from being read until
/// they are committed.
///
/// A reader has its place in the window before it knows how much it is going to read, so many
/// readers could fill the memory with one long record each. Such a record needs room here, and the
/// reader waits for it with what it has read so far.
///
/// The first of the inputs that are being read gets room at once, however much is taken. As room is
/// given back without waiting for any reader of a later input, none waits for ever.
final class LongRecords: Sendable {
    private struct State {
        var left: Int
        /// The inputs that are being read.
        var inputs: [Int] = []
        var waiting: [(input: Int, waiter: CheckedContinuation<Void, Never>)] = []
    }

    /// What a record takes, in bytes.
    private let room: Int
    private let state: Locked<State>

    /// - Parameters:
    ///   - most: the bytes that the records may take together.
    ///   - room: the most that one of them takes.
    init(most: Int, room: Int) {
        self.room = room
        state = Locked(State(left: most))
    }

    /// Says that an input is being read for as long as the object exists.
    final class Reading: Sendable {
        fileprivate let records: LongRecords
        fileprivate let input: Int

        init(_ input: Int, of records: LongRecords) {
            (self.records, self.input) = (records, input)
            records.change { $0.inputs.append(input) }
        }

        deinit {
            records.change { state in
                if let index = state.inputs.firstIndex(of: input) { state.inputs.remove(at: index) }
            }
        }

        /// Waits for room for a record.
        func room() async -> Room {
            await withCheckedContinuation { waiter in
                records.change { $0.waiting.append((input, waiter)) }
            }
            return Room(records)
        }
    }

    /// The room of a record, which is given back when the object goes.
    final class Room: Sendable {
        private let records: LongRecords

        fileprivate init(_ records: LongRecords) { self.records = records }

        deinit {
            records.change { $0.left += records.room }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let granted = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            body(&state)
            return grant(&state)
        }
        for waiter in granted { waiter.resume() }
    }

    private func grant(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard !state.waiting.isEmpty else { return [] }
        let first = state.inputs.min()
        var granted: [CheckedContinuation<Void, Never>] = []
        var still: [(input: Int, waiter: CheckedContinuation<Void, Never>)] = []
        for (input, waiter) in state.waiting.sorted(by: { $0.input < $1.input }) {
            if input == first || state.left >= room {
                state.left -= room
                granted.append(waiter)
            } else {
                still.append((input, waiter))
            }
        }
        state.waiting = still
        return granted
    }
}
