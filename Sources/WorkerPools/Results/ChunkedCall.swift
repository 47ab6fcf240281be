public import Synchronization

/// One call of `map` or `forEach`: how its elements are divided into chunks, and whether they are
/// still wanted.
@usableFromInline
final class ChunkedCall: Sendable {
    /// How many elements there are, and how many a chunk has, except the last.
    @usableFromInline let count: Int
    @usableFromInline let length: Int
    /// Checked before each element: an element has failed, or a chunk was cancelled.
    @usableFromInline let isStopped = Atomic(false)
    /// Elements were skipped by a chunk that itself neither failed nor was cancelled.
    private let isIncomplete = Atomic(false)

    var chunkCount: Int { (count + length - 1) / length }

    private let pool: PoolStorage

    @usableFromInline
    init(_ count: Int, on pool: PoolStorage) {
        self.count = count
        self.pool = pool
        let isPerElement = pool.configuration.timeout != nil || pool.configuration.retry != nil
        length = isPerElement ? 1 : min(1024, max(1, count / pool.configuration.workers.upperBound / 8))
    }

    /// Submits the chunks as jobs, and waits until all of them have ended.
    /// - Returns: why the first one that failed did.
    @usableFromInline
    func run(_ chunk: @escaping @Sendable (Range<Int>) async throws -> Void) async -> JobFailure<any Error>? {
        let group = JobGroup(pool, rule: .cancelRest, whenFull: .suspend)
        do {
            var start = 0
            while start < count {
                let range = start..<start + min(length, count - start)
                try await group.submit { try await self.attempt(range, chunk) }
                start = range.upperBound
            }
        } catch {
            let refusal = error as? PoolError ?? .cancelled(pool: pool.configuration.name, job: nil)
            let first = group.firstFailure ?? .stopped(refusal)
            group.cancel()
            _ = await group.waitForAll()
            return first
        }
        _ = await group.waitForAll()
        if let first = group.firstFailure { return first }
        return isIncomplete.load(ordering: .relaxed) ? .stopped(.cancelled(pool: pool.configuration.name, job: nil)) : nil
    }

    private func attempt(
        _ range: Range<Int>, _ chunk: @Sendable (Range<Int>) async throws -> Void
    ) async throws {
        // A single element cannot be stopped halfway, and may be retried after an error.
        guard length > 1 else { return try await chunk(range) }
        try await withTaskCancellationHandler {
            do {
                try await chunk(range)
            } catch {
                stop()
                throw error
            }
        } onCancel: {
            stop()
        }
    }

    private func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Notes that the rest of a chunk is not wanted any more.
    @usableFromInline
    func skipRest() throws(CancellationError) {
        if Task.isCancelled { throw CancellationError() }
        isIncomplete.store(true, ordering: .relaxed)
    }
}

extension WorkerPool {
    @usableFromInline
    func failure<Failure: Error>(_ failure: JobFailure<any Error>) -> JobFailure<Failure> {
        switch failure {
        case .stopped(let error): return .stopped(error)
        case .failed(let error):
            if let own = error as? Failure { return .failed(own) }
            return .stopped(.cancelled(pool: name, job: nil))
        }
    }
}
