extension Pipeline {
    /// Writes each element that comes so far, one at a time, in the pipeline's order, before it goes on.
    public func writing(to sink: some Sink<Element>) -> Pipeline {
        Pipeline(settings: settings) { [attach] inlet, layout in
            attach(.serial(Writing(sink: sink, next: layout.serial(inlet))), &layout)
        }
    }

    /// As ``writing(to:)`` with a closure.
    public func forEach(_ body: @escaping @Sendable (Element) async throws -> Void) -> Pipeline {
        writing(to: ClosureSink(body: body))
    }
}

/// A sink, and what comes after it.
final class Writing<Output: Sink>: SerialInlet {
    private let sink: Output
    private let next: any SerialInlet<Output.Element>

    init(sink: Output, next: any SerialInlet<Output.Element>) {
        self.sink = sink
        self.next = next
    }

    func receive(_ entry: Entry<Output.Element>) async throws(PipelineError) {
        do {
            switch entry {
            case .element(let element, _): try await sink.write(element)
            case .partEnded(let part): try await sink.partEnded(part)
            case .dead, .failed: break
            }
        } catch {
            throw .sink(error)
        }
        try await next.receive(entry)
    }

    func finish() async throws(PipelineError) { try await next.finish() }
}
