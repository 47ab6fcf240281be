public import Sluice

extension Records {
    /// Changes each record in a closure.
    ///
    /// ```swift
    /// .update("score", concurrency: 4, timeout: .seconds(5)) { record in
    ///     record["score"] = try await score(record["path"]?.string ?? "")
    /// }
    /// ```
    ///
    /// A record whose closure throws is handled according to `onError`; a ``RecordFailure`` sets
    /// the code of its dead letter. The fields of records after this stage are known only at run
    /// time, so names in later expressions are not checked, up to a ``select(_:name:)``.
    ///
    /// - Parameters:
    ///   - name: the name of the stage: letters, digits, `-` and `_`.
    ///   - concurrency: the number of records in the closure at once, for closures that wait: they
    ///     run on Swift's concurrency pool and must not block. By default, the records of a batch
    ///     are processed one after the other, with one batch per thread of the run, for closures
    ///     that compute or block.
    ///   - timeout: the limit for each attempt. When it expires, the closure is cancelled, and the
    ///     record fails with the code `timeout`.
    ///   - retry: further attempts when the closure throws.
    public func update(
        _ name: String = "update", concurrency: Concurrency? = nil, timeout: Duration? = nil, retry: RetryPolicy? = nil,
        onError: FailurePolicy = .deadLetter, _ change: @escaping @Sendable (inout Record) async throws -> Void
    ) -> Records {
        adding(ClosureSettings(name, concurrency, timeout, retry, onError), givesRecords: true) { record in
            var changed = record
            try await change(&changed)
            return changed
        }
    }

    /// Replaces each record by the one that the closure returns, or filters it out if that is
    /// `nil`. Otherwise like ``update(_:concurrency:timeout:retry:onError:_:)``.
    public func compactMap(
        _ name: String = "compactMap", concurrency: Concurrency? = nil, timeout: Duration? = nil, retry: RetryPolicy? = nil,
        onError: FailurePolicy = .deadLetter, _ transform: @escaping @Sendable (Record) async throws -> Record?
    ) -> Records {
        adding(ClosureSettings(name, concurrency, timeout, retry, onError), givesRecords: true, transform)
    }

    /// Passes the records for which the closure returns true; the others are filtered. Otherwise
    /// like ``update(_:concurrency:timeout:retry:onError:_:)``, but records are not changed.
    ///
    /// ``keep(_:name:onError:)`` with an expression is faster.
    public func filter(
        _ name: String = "filter", concurrency: Concurrency? = nil, timeout: Duration? = nil, retry: RetryPolicy? = nil,
        onError: FailurePolicy = .deadLetter, _ isIncluded: @escaping @Sendable (Record) async throws -> Bool
    ) -> Records {
        adding(ClosureSettings(name, concurrency, timeout, retry, onError), givesRecords: false) { record in
            try await isIncluded(record) ? record : nil
        }
    }

    private func adding(
        _ settings: ClosureSettings, givesRecords: Bool, _ body: @escaping @Sendable (Record) async throws -> Record?
    ) -> Records {
        let verb = ClosureVerb(settings: settings, givesRecords: givesRecords, body: body)
        let name = stages.contains { $0.name == settings.name } ? nil : settings.name
        let draft = StageDraft(name: name, verb: settings.name, onError: settings.onError) { checking in
            if givesRecords { checking.fields = .open }
            return verb
        }
        return with { $0.stages.append(draft) }
    }
}

/// The settings of a stage that is a closure.
struct ClosureSettings: Sendable {
    var name: String
    var concurrency: Concurrency?
    var timeout: Duration?
    var retry: RetryPolicy?
    var onError: FailurePolicy

    init(_ name: String, _ concurrency: Concurrency?, _ timeout: Duration?, _ retry: RetryPolicy?, _ onError: FailurePolicy) {
        self.name = name
        self.concurrency = concurrency
        self.timeout = timeout
        self.retry = retry
        self.onError = onError
    }

    /// Whether records go through the stage's own worker pool.
    var hasPool: Bool { concurrency != nil || timeout != nil || retry != nil }
}
