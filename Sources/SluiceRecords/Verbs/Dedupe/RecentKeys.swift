/// A set of the most recent distinct keys: a hash table over a list from oldest to newest.
///
/// A key takes about 40 bytes. Not for concurrent use.
final class RecentKeys {
    private struct Entry {
        var hash: Hash128
        /// Indices of other entries, from 1; 0 for none.
        var older: UInt32
        var newer: UInt32
    }

    private let most: Int
    @exclusivity(unchecked) private var entries: [Entry] = []
    /// Indices of entries, from 1; 0 for none.
    @exclusivity(unchecked) private var slots = [UInt32](repeating: 0, count: 16)
    private var oldest: UInt32 = 0
    private var newest: UInt32 = 0

    init(_ most: Int) {
        self.most = most
    }

    /// Makes the key the newest. Returns whether it was not in the set.
    func insert(_ hash: Hash128) -> Bool {
        if let slot = slot(of: hash) {
            renew(slots[slot])
            return false
        }
        if entries.count < most {
            if 2 * (entries.count + 1) > slots.count { widen() }
            entries.append(Entry(hash: hash, older: 0, newer: 0))
            link(UInt32(entries.count))
            place(UInt32(entries.count))
        } else {
            let number = oldest
            removeSlot(of: entries[Int(number) - 1].hash)
            unlink(number)
            entries[Int(number) - 1].hash = hash
            link(number)
            place(number)
        }
        return true
    }

    /// From oldest to newest.
    var all: [Hash128] {
        var hashes: [Hash128] = []
        var number = oldest
        while number > 0 {
            hashes.append(entries[Int(number) - 1].hash)
            number = entries[Int(number) - 1].newer
        }
        return hashes
    }

    private func home(of hash: Hash128) -> Int { Int(truncatingIfNeeded: hash.low) & (slots.count - 1) }

    private func slot(of hash: Hash128) -> Int? {
        var index = home(of: hash)
        while slots[index] > 0 {
            if entries[Int(slots[index]) - 1].hash == hash { return index }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    private func place(_ number: UInt32) {
        var index = home(of: entries[Int(number) - 1].hash)
        while slots[index] > 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = number
    }

    private func widen() {
        slots = Array(repeating: 0, count: 2 * slots.count)
        for number in entries.indices { place(UInt32(number + 1)) }
    }

    /// Removes a slot and moves up those after it that could no longer be found.
    private func removeSlot(of hash: Hash128) {
        guard var hole = slot(of: hash) else { return }
        let mask = slots.count - 1
        var index = hole
        while true {
            index = (index + 1) & mask
            guard slots[index] > 0 else { break }
            let home = home(of: entries[Int(slots[index]) - 1].hash)
            if (index - home) & mask >= (index - hole) & mask {
                slots[hole] = slots[index]
                hole = index
            }
        }
        slots[hole] = 0
    }

    private func renew(_ number: UInt32) {
        guard number != newest else { return }
        unlink(number)
        link(number)
    }

    private func unlink(_ number: UInt32) {
        let entry = entries[Int(number) - 1]
        if entry.older > 0 { entries[Int(entry.older) - 1].newer = entry.newer } else { oldest = entry.newer }
        if entry.newer > 0 { entries[Int(entry.newer) - 1].older = entry.older } else { newest = entry.older }
    }

    private func link(_ number: UInt32) {
        entries[Int(number) - 1].older = newest
        entries[Int(number) - 1].newer = 0
        if newest > 0 { entries[Int(newest) - 1].newer = number } else { oldest = number }
        newest = number
    }
}
