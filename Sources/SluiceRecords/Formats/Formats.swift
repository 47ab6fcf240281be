/// The table of formats that pipeline files can name.
package enum Formats {
    /// In the order of the reference.
    package static let all: [any Format.Type] = [
        JSONL.self, JSON.self, Combined.self, Common.self, Access.self, CSV.self, TSV.self, Logfmt.self, Syslog.self, Lines.self, RegexFormat.self,
    ]

    package static let writable: [any WritableFormat.Type] = all.compactMap { $0 as? any WritableFormat.Type }

    /// The format with this name or alias.
    package static func named(_ name: String) -> (any Format.Type)? {
        all.first { $0.declaration.isCalled(name) }
    }

    /// The format for a file extension, without the one for compression.
    package static func forFile(endingIn ending: some StringProtocol) -> (any WritableFormat.Type)? {
        writable.first { $0.fileExtensions.contains(String(ending)) }
    }

    package static func make(_ argument: FormatArgument, _ checking: inout Checking) -> (any Format)? {
        let declaration = argument.declaration
        if case .keys(let keys) = declaration.argument, let missing = keys.first(where: { $0.isRequired && argument.options?[$0.name] == nil }) {
            checking.report(
                "the format '\(declaration.name)' requires '\(missing.name)'", at: argument.name.place, fix: "write '\(declaration.example)'")
            return nil
        }
        return named(declaration.name)?.init(argument.options, &checking)
    }

    package static var names: [String] { all.map { $0.declaration.name } }
    package static var writableNames: [String] { writable.map { $0.declaration.name } }

    /// Including aliases.
    package static var allNames: [String] { all.flatMap { [$0.declaration.name] + $0.declaration.aliases } }
}

extension Format {
    package static var name: String { declaration.name }
    package var name: String { Self.declaration.name }
    package var framing: Framing { .lines }
    package func checkReading(_ checking: inout Checking) {}
    package var joiningLines: any Format { self }
}
