/// A job that a cancelled pool hands back: accepted, but not finished.
public struct UndoneJob: Sendable {
    /// The job's name, if it was given one.
    public let name: String?
    /// How many attempts were made.
    public let attempts: Int
    /// The job itself, to run elsewhere or submit to another pool. A handle to it has already
    /// thrown.
    public let body: @Sendable () async throws -> Void

    init(_ job: Job) {
        name = job.record?.details?.name
        attempts = Int(job.attempt) - 1
        switch job.body {
        case .plain(let plain): body = { try plain() }
        case .asynchronous(let asynchronous): body = asynchronous
        case .plainOfRecord, .asynchronousOfRecord, .movedOut:
            guard let undone = job.record?.undone else { preconditionFailure("a job that has begun was handed back") }
            body = undone
        }
    }
}
