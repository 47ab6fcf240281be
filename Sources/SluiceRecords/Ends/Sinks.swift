/// The table of the sinks.
package enum Sinks {
    /// In the order of the reference.
    package static let all: [any RecordSink.Type] = [FileSink.self, StandardOutputSink.self]

    package static func named(_ name: String) -> (any RecordSink.Type)? { all.first { $0.declaration.isCalled(name) } }

    package static var names: [String] { all.map { $0.declaration.name } }
}

/// The table of the sources.
package enum Sources {
    package static let all: [any RecordSource.Type] = [FileSource.self]

    package static func named(_ name: String) -> (any RecordSource.Type)? { all.first { $0.declaration.isCalled(name) } }

    package static var names: [String] { all.map { $0.declaration.name } }
}
