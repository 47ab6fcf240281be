// Unsafe code: a line holds the records of one reader alone, who makes them all of one type; so it may take them for that
// type again without asking the runtime each time, as `as` does. Debug builds check it.

import Synchronization

/// A job whose result goes into a line.
class ChannelRecord: OpenRecord, @unchecked Sendable {  // see each property for what orders it
    /// Set by the reader that waits for this one.
    let isAwaited = Atomic(false)
    private let channel: ResultChannel
    /// Written by whoever settles the job; read after `hasEnded`.
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
    /// Written by the attempt under way.
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
