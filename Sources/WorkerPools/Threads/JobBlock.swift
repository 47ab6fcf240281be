// Unsafe code: blocks of jobs at stable addresses. Elements `first..<end` of a block hold jobs,
// which are plain pointers; a block belongs to exactly one list, or to one stack of spare blocks,
// both of which only change under their run queue's lock.

/// Thirty jobs in four cache lines, and a link to the next block.
struct JobBlock {
    static let capacity = 30

    var next: UnsafeMutablePointer<JobBlock>?
    var first: Int32 = 0
    var end: Int32 = 0

    var count: Int { Int(end - first) }

    static func allocate() -> UnsafeMutablePointer<JobBlock> {
        let bytes = MemoryLayout<JobBlock>.stride + capacity * MemoryLayout<UnownedJob>.stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        return memory.bindMemory(to: JobBlock.self, capacity: 1)
    }
}

extension UnsafeMutablePointer<JobBlock> {
    /// The jobs, stored after the block's header.
    var jobs: UnsafeMutablePointer<UnownedJob> {
        UnsafeMutableRawPointer(self + 1).assumingMemoryBound(to: UnownedJob.self)
    }
}

/// Blocks for reuse, at most 128 KiB of them.
struct SpareBlocks {
    private static let most = 512

    private var first: UnsafeMutablePointer<JobBlock>?
    private var count = 0

    mutating func take() -> UnsafeMutablePointer<JobBlock> {
        let block = first ?? JobBlock.allocate()
        if first != nil {
            first = block.pointee.next
            count -= 1
        }
        block.initialize(to: JobBlock())
        return block
    }

    mutating func put(_ block: UnsafeMutablePointer<JobBlock>) {
        guard count < Self.most else { return UnsafeMutableRawPointer(block).deallocate() }
        block.pointee.next = first
        first = block
        count += 1
    }

    mutating func deallocate() {
        while let block = first {
            first = block.pointee.next
            UnsafeMutableRawPointer(block).deallocate()
        }
    }
}
