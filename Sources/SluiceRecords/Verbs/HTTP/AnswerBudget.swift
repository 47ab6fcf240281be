/// Bounds the bytes of the answers to one batch while these arrive, in any order.
///
/// The records that have no room are those from the one on with which the answers, in the order of
/// the records, exceed the limit. So the order in which they arrive does not matter: as soon as
/// the answers so far exceed it, the last of them has no room, whatever comes before it.
struct AnswerBudget {
    let most: Int
    private var sizes: [Int]
    /// The bytes of the answers before `end`.
    private var held = 0
    /// The first record that is known to have no room.
    private var end: Int

    init(_ most: Int, records: Int) {
        self.most = most
        sizes = Array(repeating: 0, count: records)
        end = records
    }

    /// Counts an answer.
    ///
    /// - Returns: the records that are known from now on to have no room.
    mutating func add(_ bytes: Int, _ index: Int) -> Range<Int> {
        let before = end
        sizes[index] = bytes
        if index < end { held += bytes }
        while held > most {
            end -= 1
            held -= sizes[end]
        }
        return index < before ? end..<before : index..<index + 1
    }
}
