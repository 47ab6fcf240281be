public import WorkerPools

extension Pipeline {
    /// Gathers so many elements into an array; the last array of each of the source's parts may be
    /// shorter.
    ///
    /// In the source's order, the arrays depend on the input alone.
    public func batched(_ count: Int, name: String = "batched") -> Pipeline<[Element]> {
        precondition(count > 0, "a batch holds at least one element, not \(count)")
        return Pipeline<[Element]>(settings: settings) { [attach] inlet, layout in
            let next = layout.serial(inlet)
            attach(.serial(Batching(count: count, ledger: layout.enter(name), next: next)), &layout)
        }
    }

    /// Makes any number of elements of each.
    ///
    /// The sequence is walked as there is room for its elements, so it may be long if it is lazy.
    /// Parameters as for ``map(_:concurrency:queue:timeout:retry:onError:_:)``.
    public func flatMap<Elements: Sequence & Sendable>(
        _ name: String = "flatMap", concurrency: Concurrency = 1, queue: Int? = nil, timeout: Duration? = nil,
        retry: RetryPolicy? = nil, onError: FailurePolicy? = nil,
        _ transform: @escaping @Sendable (Element) async throws -> Elements
    ) -> Pipeline<Elements.Element> where Elements.Element: Sendable {
        let settings = StageSettings(
            name: name, concurrency: concurrency, queue: queue, timeout: timeout, retry: retry, onError: onError)
        return Pipeline<Elements.Element>(settings: self.settings) { [attach] inlet, layout in
            let ledger = StageLedger(name: name)
            let unrolling = Unrolling<Elements>(ledger: ledger, countsReceived: false, next: layout.serial(inlet))
            attach(layout.stage(settings, ledger, into: .serial(unrolling), transform), &layout)
        }
    }
}

extension Pipeline where Element: Sequence, Element.Element: Sendable {
    /// Sends each element of the arrays on by itself.
    public func unbatched(name: String = "unbatched") -> Pipeline<Element.Element> {
        Pipeline<Element.Element>(settings: settings) { [attach] inlet, layout in
            let next = layout.serial(inlet)
            attach(.serial(Unrolling(ledger: layout.enter(name), countsReceived: true, next: next)), &layout)
        }
    }
}
