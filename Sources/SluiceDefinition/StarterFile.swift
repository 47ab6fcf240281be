internal import SluiceCEL
package import SluiceRecords

/// A pipeline file to start from, for given inputs.
package struct StarterFile: Sendable {
    package let text: String

    /// A file without inputs, with a comment on every part.
    package init() {
        text =
            Self.head(about: "Made by 'sluice init'. Every key: docs/pipeline-file.md", name: "example")
                + """
                source:
                  files: ${logs}
                  format: \(Formats.names[0])                    # or: \(Formats.names.dropFirst().joined(separator: ", "))

                # stages:                          # in order; each has its own worker pool
                #   - keep: status >= 500
                #   - select: [time, path]

                """ + Self.tail(name: "example")
                + """

                # tests:                           # sluice test FILE
                #   - name: other records are filtered
                #     input: ['{"status": 200}']
                #     output: []

                """
    }

    /// - Parameters:
    ///   - inputs: the paths of the inputs.
    ///   - archive: the archives that they are, if they are.
    ///   - encoding: that of their text.
    ///   - guess: their probable format.
    ///   - example: the text of a record, preceded by any header, and the output for it; `nil` if
    ///     there is none to show.
    package init(
        for inputs: [String], as archive: Archive? = nil, encoding: TextEncoding = .utf8, in guess: FormatGuess,
        example: (input: [String], output: String)?
    ) {
        let name = Self.name(from: inputs.first ?? "")
        let files = inputs.count == 1 ? Self.quoted(inputs[0]) : "[" + inputs.map(Self.quoted).joined(separator: ", ") + "]"
        var text = Self.head(about: "Made by 'sluice init' from \(inputs.count == 1 ? "one input" : "\(inputs.count) inputs").", name: name, hasLogs: false)
        let types = guess.infersTypes ? "\n    # types are those of the first records; without 'types' all fields are text" : ""
        text += """
            source:
              files: \(files)\(archive.map { "\n  archive: \($0.kind.rawValue)                      # reads the files in each archive" } ?? "")\(encoding == .utf8 ? "" : "\n  encoding: \(encoding.rawValue)")
              format: \(guess.definition)
                # reads \(guess.read) of the first \(guess.records) records\(types)

            # The fields of the first records, with their types and a value:

            """
        for field in Self.fields(of: guess) { text += "#   \(field)\n" }
        text += """

            # stages:                          # in order; each has its own worker pool
            #   - keep: \(Self.condition(for: guess.examples))
            #   - select: [\(Self.names(of: guess.examples).prefix(3).map(Self.flow).joined(separator: ", "))]

            """ + Self.tail(name: name)
        if let example {
            text += """

                tests:                             # sluice test FILE
                  - name: a record comes out as it does today
                    input: [\(example.input.map(Self.quoted).joined(separator: ", "))]
                    output: [\(Self.quoted(example.output))]

                """
        }
        self.text = text
    }

    private static func head(about: String, name: String, hasLogs: Bool = true) -> String {
        """
        # \(about)
        name: \(name)                          # the state folder is .sluice/\(name)

        params:                                # defaults; override with --set out=…
        \(hasLogs ? "  logs: 'logs/*.jsonl.gz'\n" : "")  out: out


        """
    }

    private static func tail(name: String) -> String {
        """

        sink:
          file: ${out}/\(name).jsonl.gz        # {…} in a path is an expression: ${out}/{status}.jsonl.gz

        limits:
          dead_letters: 1%                     # if more records fail, nothing is published

        """
    }

    /// A name of letters, digits and `-`.
    private static func name(from path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? ""
        let base = file.prefix { $0 != "." }
        var name = String(base.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(50))
        while name.hasPrefix("-") { name.removeFirst() }
        return name.isEmpty ? "records" : name
    }

    private static func names(of records: [ValueMap]) -> [String] {
        var names: [String] = []
        for record in records {
            for entry in record.entries {
                if case .string(let name) = entry.key, name.index(in: names) == nil { names.append(name) }
            }
        }
        return names
    }

    private static func fields(of guess: FormatGuess) -> [String] {
        let names = Array(names(of: guess.examples).prefix(40))
        let width = min(24, names.map(\.count).max() ?? 0)
        return names.map { name in
            let values = guess.examples.compactMap { $0[name] }
            let met = values.reduce(into: [String]()) { types, value in
                if !types.contains(value.type.description) { types.append(value.type.description) }
            }
            let types = guess.typeName(of: name).map { [$0] } ?? met
            let shown = values.first.map { String($0.jsonText.prefix(40)) } ?? ""
            let padding = String(repeating: " ", count: max(0, width - name.count))
            return "\(Self.comment(name))\(padding)  \(types.joined(separator: " or "))  \(Self.comment(shown))"
        }
    }

    /// Replaces line breaks, so that the text fits in a comment.
    private static func comment(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

    /// An example condition that suits the records.
    private static func condition(for records: [ValueMap]) -> String {
        guard let record = records.first else { return "true" }
        for entry in record.entries {
            guard case .string(let name) = entry.key, isIdentifier(name) else { continue }
            if case .int(let value) = entry.value { return "\(name) >= \(value)" }
        }
        for entry in record.entries {
            guard case .string(let name) = entry.key, isIdentifier(name), case .string(let text) = entry.value, text.utf8.count < 20,
                text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
            else { continue }
            return "\(name) == '\(text)'"
        }
        return "true"
    }

    private static func isIdentifier(_ name: String) -> Bool {
        !name.isEmpty && name.first?.isNumber == false && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    /// A name for use in a list in brackets.
    private static func flow(_ name: String) -> String { isIdentifier(name) ? name : quoted(name) }

    /// Quotes a text so that no character has a special meaning, including those of parameters.
    static func quoted(_ text: String) -> String {
        let text = text.replacing("${", with: "$${")
        // The characters that YAML allows in text.
        let isPlain = text.unicodeScalars.allSatisfy {
            (0x20...0x7E).contains($0.value) || ((0xA0...0xD7FF).contains($0.value) && !(0x2028...0x2029).contains($0.value))
        }
        return isPlain ? "'" + text.replacing("'", with: "''") + "'" : Value.string(text).jsonText
    }
}
