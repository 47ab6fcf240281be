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
    /// A record whose closure throws goes where `onError` says; a ``RecordFailure`` gives its dead
    /// letter a code. Which fields records have afterwards is known only when they are read, so
    /// that later expressions are checked for that no more, until a ``select(_:name:)``.
    ///
    /// - Parameters:
    ///   - name: of the stage: letters, digits, `-` and `_`.
    ///   - concurrency: how many records are in the closure at once, for closures that wait: they
    ///     run on Swift's own pool and must not block. By default the records of a batch follow
    ///     each other and the threads of the run take a batch each, for closures that compute or
    ///     block.
    ///   - timeout: of each attempt; the closure is cancelled then, and its record fails with the
    ///     code `timeout`.
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

    /// Makes another record of each, or leaves it out where the closure gives nil. Else as
    /// ``update(_:concurrency:timeout:retry:onError:_:)``.
    public func compactMap(
        _ name: String = "compactMap", concurrency: Concurrency? = nil, timeout: Duration? = nil, retry: RetryPolicy? = nil,
        onError: FailurePolicy = .deadLetter, _ transform: @escaping @Sendable (Record) async throws -> Record?
    ) -> Records {
        adding(ClosureSettings(name, concurrency, timeout, retry, onError), givesRecords: true, transform)
    }

    /// Passes the records for which the closure is true; the others are filtered. Else as
    /// ``update(_:concurrency:timeout:retry:onError:_:)``, but records stay as they are.
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

/// A stage that a closure is.
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

    /// Whether records go through a worker pool of the stage's own.
    var hasPool: Bool { concurrency != nil || timeout != nil || retry != nil }
}
