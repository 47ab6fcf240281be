// Unsafe code: see JobBlock.swift. A prefetch is a hint to the processor, which accepts any
// address.

#if canImport(CPrefetch)
    import CPrefetch
#endif

/// Jobs in the order in which they arrived. Lists are concatenated in constant time.
struct JobList {
    private var head: UnsafeMutablePointer<JobBlock>?
    private var tail: UnsafeMutablePointer<JobBlock>?
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ job: UnownedJob, _ spare: inout SpareBlocks) {
        count += 1
        if let tail, tail.pointee.end < JobBlock.capacity {
            tail.jobs[Int(tail.pointee.end)] = job
            tail.pointee.end += 1
            return
        }
        let block = spare.take()
        block.jobs[0] = job
        block.pointee.end = 1
        link(block, last: block)
    }

    /// Leaves `other` empty.
    mutating func append(_ other: inout JobList) {
        guard let first = other.head, let last = other.tail else { return }
        count += other.count
        link(first, last: last)
        other = JobList()
    }

    mutating func popFirst(_ spare: inout SpareBlocks) -> UnownedJob? {
        guard let block = head else { return nil }
        let job = block.jobs[Int(block.pointee.first)]
        warm(3, after: block)
        count -= 1
        block.pointee.first += 1
        if block.pointee.count == 0 {
            unlinkFirst()
            spare.put(block)
        }
        return job
    }

    /// Takes out the older half, rounded up.
    mutating func removeHalf(_ spare: inout SpareBlocks) -> JobList {
        var taken = JobList()
        let wanted = (count + 1) / 2
        while let block = head, taken.count + block.pointee.count <= wanted {
            unlinkFirst()
            block.pointee.next = nil
            count -= block.pointee.count
            taken.count += block.pointee.count
            taken.link(block, last: block)
        }
        while taken.count < wanted, let job = popFirst(&spare) { taken.append(job, &spare) }
        return taken
    }

    private mutating func link(_ block: UnsafeMutablePointer<JobBlock>, last: UnsafeMutablePointer<JobBlock>) {
        if let tail { tail.pointee.next = block } else { head = block }
        tail = last
    }

    private mutating func unlinkFirst() {
        head = head?.pointee.next
        if head == nil { tail = nil }
    }

    /// Has the processor fetch a job a few places after the first. A task that has slept has left
    /// the cache, and loading its object and the frames after it, some eight lines, is most of the
    /// cost of running it.
    @inline(__always)
    private func warm(_ distance: Int32, after block: UnsafeMutablePointer<JobBlock>) {
        #if canImport(CPrefetch)
            var (block, index) = (block, block.pointee.first + distance)
            if index >= block.pointee.end, let next = block.pointee.next {
                index -= block.pointee.end - next.pointee.first
                block = next
            }
            guard index < block.pointee.end else { return }
            prefetch_lines(unsafeBitCast(block.jobs[Int(index)], to: UInt.self), 8)
        #endif
    }
}
