import Sluice
import Synchronization

/// Bounds how many records that are longer than a batch are held at once, from being read until
/// they are committed.
///
/// A reader has its place in the window before it knows how much it is going to read, so many
/// readers could fill the memory with one long record each. Such a record needs room here, and the
/// reader waits for it with what it has read so far.
final class LongRecords: Sendable {
    private let turns: Locked<Turns<CheckedContinuation<Bool, Never>>>

    /// - Parameters:
    ///   - most: the bytes that the records may take together.
    ///   - room: the most that one of them takes.
    init(most: Int, room: Int) {
        turns = Locked(Turns(most: most, room: room))
    }

    /// The reading of an input, which ends when the object goes. There must be one for each input,
    /// even if it fails.
    final class Reading: Sendable {
        private let records: LongRecords
        private let input: Int

        init(_ input: Int, of records: LongRecords) {
            (self.records, self.input) = (records, input)
        }

        deinit { records.change { $0.end(input) } }

        /// Waits for room for a record; `nil` if the task is cancelled.
        func room() async -> Room? {
            let hasRoom = await withTaskCancellationHandler {
                await withCheckedContinuation { waiter in records.change { $0.ask(for: input, waiter) } }
            } onCancel: {
                records.change { $0.stop() }
            }
            return hasRoom ? Room(input, of: records) : nil
        }
    }

    /// The room of a record, which is given back when the object goes.
    final class Room: Sendable {
        private let records: LongRecords
        private let input: Int

        fileprivate init(_ input: Int, of records: LongRecords) {
            (self.records, self.input) = (records, input)
        }

        deinit { records.change { $0.giveBack(input) } }
    }

    private func change(_ body: (inout Turns<CheckedContinuation<Bool, Never>>) -> Void) {
        let (waiters, haveRoom) = turns.withLock { turns in
            body(&turns)
            return turns.answer()
        }
        for waiter in waiters { waiter.resume(returning: haveRoom) }
    }

    /// Whose turn it is to get room.
    ///
    /// The first of the inputs that have not ended gets room however much is taken, unless a
    /// record before it has some: that one is committed, and gives its room back, without waiting
    /// for any reader. Records after it are committed after it, so it can't wait for these. Hence
    /// no reader waits for ever, and seldom is more taken than there is: where records of later
    /// inputs came first.
    struct Turns<Waiter> {
        private let room: Int
        private var left: Int
        /// The first input that has not ended, whether or not it is being read yet.
        private var first = 0
        /// The inputs after it that have ended.
        private var ended: Swift.Set<Int> = []
        /// The inputs of the records that have room, one element for each record.
        private var taken: [Int] = []
        private var waiting: [(input: Int, waiter: Waiter)] = []
        private var isStopped = false

        init(most: Int, room: Int) { (left, self.room) = (most, room) }

        mutating func end(_ input: Int) {
            ended.insert(input)
            while ended.remove(first) != nil { first += 1 }
        }

        mutating func ask(for input: Int, _ waiter: Waiter) { waiting.append((input, waiter)) }

        mutating func giveBack(_ input: Int) {
            left += room
            if let index = taken.firstIndex(of: input) { taken.remove(at: index) }
        }

        /// Nobody gets room any longer.
        mutating func stop() { isStopped = true }

        /// Takes those out that get room now, in the order of their inputs; after a stop, all.
        mutating func answer() -> (waiters: [Waiter], haveRoom: Bool) {
            var answered: [Waiter] = []
            var still: [(input: Int, waiter: Waiter)] = []
            for (input, waiter) in waiting.sorted(by: { $0.input < $1.input }) {
                let isNext = input == first && !taken.contains { $0 <= input }
                if isStopped {
                    answered.append(waiter)
                } else if isNext || left >= room {
                    left -= room
                    taken.append(input)
                    answered.append(waiter)
                } else {
                    still.append((input, waiter))
                }
            }
            waiting = still
            return (answered, !isStopped)
        }
    }
}
