internal import Synchronization

extension Pipeline {
    /// Reads the elements of a sequence, in its order.
    public static func reading(from elements: some Sequence<Element> & Sendable) -> Pipeline {
        reading(parts: [
            Part {
                var iterator = elements.makeIterator()
                return { iterator.next() }
            }
        ])
    }

    /// Reads an asynchronous sequence, asking for each element once there is room for it.
    public static func reading<Source: AsyncSequence & Sendable>(from source: Source) -> Pipeline
    where Source.Element == Element {
        reading(parts: [
            Part {
                var iterator = source.makeAsyncIterator()
                return { try await iterator.next(isolation: #isolation) }
            }
        ])
    }

    /// Reads several parts side by side, in an order as if they were read one after the other.
    ///
    /// All of a part is committed before anything of the next one. Later parts are read ahead as
    /// far as the window has room; a quarter of it is kept for the first part that is not done.
    ///
    /// - Parameter concurrency: how many parts are read at a time.
    public static func reading(parts: [Part<Element>], concurrency: Int = 1) -> Pipeline {
        precondition(concurrency > 0, "a source needs at least one reader, not \(concurrency)")
        return Pipeline { inlet, layout in
            let inlet = layout.parallel(inlet)
            inlet.segment.expect(parts: parts.count)
            layout.plan.entrance = inlet.segment
            layout.plan.ledger.parts.withLock { $0 = Array(repeating: Report.Part(), count: parts.count) }
            let reader = Reader(
                parts: parts, inlet: inlet, ledger: layout.plan.ledger, control: layout.control,
                measuresWaiting: layout.settings.measuresWaiting)
            for _ in 0..<min(concurrency, parts.count) {
                layout.plan.readers.append { await reader.read() }
            }
        }
    }
}

/// Reads a source's parts into the first segment.
struct Reader<Element: Sendable>: Sendable {
    let parts: [Part<Element>]
    let inlet: any ParallelInlet<Element>
    let ledger: RunLedger
    let control: RunControl
    let measuresWaiting: Bool

    /// One of several readers; each takes the next part that none has taken yet.
    func read() async {
        let segment = inlet.segment
        while let part = segment.openPart() {
            let (count, ended) = await read(part, segment)
            ledger.parts.withLock { $0[part] = Report.Part(read: count, ended: ended) }
            if ended { segment.end(part: part) } else { segment.cut(part: part) }
        }
    }

    /// `nil` if times are not measured.
    private var now: ContinuousClock.Instant? { measuresWaiting ? .now : nil }

    private func read(_ part: Int, _ segment: Segment) async -> (count: Int, ended: Bool) {
        var count = 0
        do {
            guard await segment.reserve(part: part) else { return (count, false) }
            var start = now
            let next = try await parts[part].open()
            while let element = try await next() {
                count += 1
                ledger.read.count()
                let read = start.map { ledger.reading.wasBusy(since: $0) }
                await inlet.accept(element, segment.admit(part: part, place: nil))
                let hasRoom = await segment.reserve(part: part)
                if let read {
                    ledger.reading.passed.count()
                    start = ledger.reading.waited(since: read)
                }
                guard hasRoom else { return (count, false) }
            }
            if let start { ledger.reading.wasBusy(since: start) }
            // Where reading was stopped, an end may be only the answer to the cancellation.
            return (count, !control.isReadingStopped)
        } catch {
            if error is CancellationError, control.isReadingStopped { return (count, false) }
            let reason = PipelineError.source(at: Place(part: part, index: count), error)
            control.stopReading(because: reason, at: Place(part: part, index: count))
            segment.settle(segment.admit(part: part, place: nil), .mark(.failed(reason)))
            return (count, false)
        }
    }
}
