/// The table of the sinks that pipeline files can name.
package enum Sinks {
    /// In the order of the reference.
    package static let all: [any DeclaredSink.Type] = [FileSink.self, StandardOutputSink.self, SQLiteSink.self]

    package static func named(_ name: String) -> (any DeclaredSink.Type)? { all.first { $0.declaration.isCalled(name) } }

    package static var names: [String] { all.map { $0.declaration.name } }
}

/// The table of the sources that pipeline files can name.
package enum Sources {
    package static let all: [any DeclaredSource.Type] = [FileSource.self, FileListSource.self]

    package static func named(_ name: String) -> (any DeclaredSource.Type)? { all.first { $0.declaration.isCalled(name) } }

    package static var names: [String] { all.map { $0.declaration.name } }
}
