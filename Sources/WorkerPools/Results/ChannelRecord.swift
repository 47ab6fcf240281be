// Unsafe code: a channel holds the records of one reader, which creates them all with one type. So
// it may downcast them without a run-time check each time, which `as` makes; debug builds check.

import Synchronization

/// A job whose result goes into a channel.
class ChannelRecord: OpenRecord, @unchecked Sendable {  // see each property for what orders it
    /// Set by the reader when it waits for this one.
    let isAwaited = Atomic(false)
    private let channel: ResultChannel
    /// Written by the thread that settles the job; read after `hasEnded`.
    private(set) var end: JobEnd?

    init(_ channel: ResultChannel) {
        self.channel = channel
        super.init(options: JobOptions())
    }

    final override func settle(_ end: JobEnd) {
        self.end = end
        channel.put(self)
    }
}

/// The same with the result.
final class ResultRecord<Value: Sendable>: ChannelRecord, @unchecked Sendable {  // `value` is ordered as `end` is
    /// Written by the current attempt.
    private var value: Value?

    /// The closure that makes an attempt and keeps its result here.
    func keeping<Element: Sendable>(
        _ element: Element, _ transform: @escaping @Sendable (Element) async throws -> Value
    ) -> @Sendable () async throws -> Void {
        { self.value = try await transform(element) }
    }

    static func takeResult(of record: ChannelRecord) throws -> Value {
        switch record.end {
        case .done:
            guard let value = unsafeDowncast(record, to: Self.self).value else {
                preconditionFailure("a job was settled as done before it had a value")
            }
            return value
        case .failed(let error): throw error
        case .stopped(let error): throw error
        case nil: preconditionFailure("a result was read before its job had ended")
        }
    }
}
