/// How the files in archives are read.
package struct Archive: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case tar
    }

    package var kind = Kind.tar
    /// The files that are left out.
    private var excluded: [PathPattern] = []

    package init() {}

    /// - Parameter patterns: of the names of files, beginning with the archive's path.
    package init(excluding patterns: [String]) throws(InputError) {
        for pattern in patterns { excluded += try PathPattern.all(in: pattern) }
    }

    package var excludedPatterns: [String] {
        var texts: [String] = []
        for pattern in excluded where texts.last != pattern.text { texts.append(pattern.text) }
        return texts
    }

    func excludes(_ name: String) -> Bool { excluded.contains { $0.matches(name) } }

    /// The path of the archive that a name of a file in it begins with; `nil` if there is none.
    ///
    /// - Parameter name: such as `logs.tar/dir/a.log`.
    static func path(in name: String) -> String? {
        var end = name.utf8.startIndex
        while let slash = name.utf8[end...].firstIndex(of: NameBytes.slash) {
            let path = String(name[..<slash])
            switch PathKind.of(path) {
            case .file: return path
            case .folder where !path.isEmpty: break
            case _ where path.isEmpty: break
            default: return nil
            }
            end = name.utf8.index(after: slash)
        }
        return nil
    }
}

/// What an archive contained.
package struct ArchiveContents: Sendable, Equatable, Codable {
    /// The number of files that were read.
    package var files = 0
    /// The number of files that `exclude` left out.
    package var excluded = 0
    /// The number of entries that are no files, by kind.
    package var skipped: [String: Int] = [:]

    package init() {}
}

/// A pattern of paths that need not exist: `*`, `?`, `[a-z]`, `**`.
private struct PathPattern: Sendable {
    private enum Step: Sendable {
        case name(NamePattern)
        /// `**`
        case folders
    }

    let text: String
    private let steps: [Step]

    /// - Parameter text: may have braces, each of whose alternatives is a pattern.
    static func all(in text: String) throws(InputError) -> [PathPattern] {
        var patterns: [PathPattern] = []
        for pattern in try Braces.expand(text) { patterns.append(try PathPattern(pattern, of: text)) }
        return patterns
    }

    private init(_ pattern: [UInt8], of text: String) throws(InputError) {
        self.text = text
        var steps: [Step] = []
        for name in Self.names(of: pattern) {
            steps.append(name.elementsEqual("**".utf8) ? .folders : .name(try NamePattern(name, of: text)))
        }
        self.steps = steps
    }

    func matches(_ path: String) -> Bool { Self.match(steps[...], Self.names(of: Array(path.utf8))[...]) }

    private static func names(of path: [UInt8]) -> [ArraySlice<UInt8>] {
        path.split(separator: NameBytes.slash).filter { !$0.elementsEqual([NameBytes.dot]) }
    }

    private static func match(_ steps: ArraySlice<Step>, _ names: ArraySlice<ArraySlice<UInt8>>) -> Bool {
        guard let step = steps.first else { return names.isEmpty }
        switch step {
        case .name(let pattern):
            guard let name = names.first else { return false }
            let isSame = pattern.literal.map { name.elementsEqual($0) } ?? pattern.matches(Array(name))
            return isSame && match(steps.dropFirst(), names.dropFirst())
        case .folders:
            let rest = steps.dropFirst()
            if rest.isEmpty { return !names.isEmpty }
            return names.indices.contains { match(rest, names[$0...]) }
        }
    }
}
