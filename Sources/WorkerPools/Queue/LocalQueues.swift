// Unsafe code: a fixed array of structures behind a pointer, so that workers read it without
// counting references. The pool's storage frees it and everything in it.

/// A pool's local queues, one for each thread that its workers run on.
struct LocalQueues: @unchecked Sendable, RandomAccessCollection {  // never changes
    private let queues: UnsafeMutableBufferPointer<LocalQueue>
    /// Whether the threads are those of a ``ThreadExecutor``, which are numbered.
    private let areNumbered: Bool

    init(for executor: (any TaskExecutor)?, lock: LockChoice) {
        let threads = (executor as? ThreadExecutor)?.threadCount
        areNumbered = threads != nil
        queues = .allocate(capacity: threads ?? WorkerPool.coreCount)
        for index in queues.indices { queues.initializeElement(at: index, to: LocalQueue(lock: lock)) }
    }

    func free() {
        for queue in queues { queue.free() }
        queues.deallocate()
    }

    var startIndex: Int { 0 }
    var endIndex: Int { queues.count }
    subscript(index: Int) -> LocalQueue { queues[index] }

    /// The calling thread's queue. Threads that share one only get in each other's way.
    var own: LocalQueue {
        let number = areNumbered ? RunLoop.current?.index ?? 0 : ThreadNumber.current
        return queues[queues.count == 1 ? 0 : number % queues.count]
    }
}
