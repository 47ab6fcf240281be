import SluiceCEL

/// The working memory of expressions for the batches of a run, to be used again.
final class ScratchPool: Sendable {
    private let free: FreeList<Scratch>
    private let room: Int

    /// - Parameters:
    ///   - most: how many to keep.
    ///   - room: the most bytes that one evaluation may make.
    init(most: Int, room: Int) {
        free = FreeList(most: most)
        self.room = room
    }

    func take() -> Scratch {
        if let scratch = free.take() { return scratch }
        let scratch = Scratch(reader: JSONReader.ofExpressions)
        scratch.room = room
        return scratch
    }

    func give(_ scratch: Scratch) { free.give(scratch) }
}
