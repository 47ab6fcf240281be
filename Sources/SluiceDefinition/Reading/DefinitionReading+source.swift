internal import SluiceRecords

extension DefinitionReading {
    mutating func readSource(_ node: YAMLNode) -> SourceDefinition? {
        guard let map = map(node, "source", example: FileKeys.file.first { $0.name == "source" }?.example ?? "") else { return nil }
        guard let kind = Sources.all.first(where: { map[$0.declaration.name] != nil }) else {
            check(map, of: "source", takes: [FileKeys.sources[0].key(isRequired: true)] + FileKeys.source)
            return nil
        }
        let declaration = kind.declaration
        check(
            map, of: "source", takes: [declaration.key(isRequired: true)] + declaration.options + FileKeys.source)
        let argument = map[declaration.name].flatMap {
            self.argument($0, as: declaration.argument, "source: '\(declaration.name)'", example: declaration.example)
        }
        for leaf in argument?.leaves ?? [] where leaf.text.isEmpty && leaf.isComplete {
            report("source: '\(declaration.name)' is empty", at: leaf.place)
        }
        let options = values(of: map, declaration.options, of: "source")
        let settings = values(of: map, FileKeys.source, of: "source")
        var source = SourceDefinition(kind: kind, argument: argument, options: options ?? Arguments())
        if case .format(let format)? = settings?["format"] {
            source.format = format
        } else if map["format"] == nil, let leaves = argument?.leaves {
            source.format = formatByName(of: leaves.filter { !$0.text.isEmpty && $0.isComplete })
        } else if map["format"] == nil, let argument {
            reportMissingFormat(at: argument.place)
        }
        source.onDamage = settings?["on_damage"]?.leaf.flatMap { DamagePolicy(rawValue: $0.text) }
        source.encoding = settings?["encoding"]?.leaf.flatMap { TextEncoding(rawValue: $0.text) }
        source.archive = settings?["archive"]?.leaf
        source.multiline = settings?["multiline"]?.keys
        source.year = settings?["year"].flatMap { year in year.integer.map { Placed($0, at: year.place) } }
        source.zone = settings?["zone"]?.leaf
        if let longest = settings?["max_record"], let bytes = longest.integer { source.maxRecord = Placed(bytes, at: longest.place) }
        return source
    }

    /// JSON lines are recognized by their extension; any other could be one of several formats.
    private mutating func formatByName(of files: [Leaf]) -> FormatArgument? {
        guard let first = files.first else { return nil }
        // A pattern may show less of the format than the names that it matches.
        let names = files.flatMap { leaf in (try? InputFiles.expand([leaf.text]).map(\.path)) ?? [leaf.text] }
        if names.allSatisfy({ FileName($0).fileExtension.map(JSONL.fileExtensions.contains) == true }) {
            return FormatArgument(name: first, declaration: JSONL.declaration)
        }
        reportMissingFormat(at: first.place)
        return nil
    }

    private mutating func reportMissingFormat(at place: TextPlace) {
        report("source: 'format' is missing", at: place, fix: "add 'format: …' with one of: \(Formats.names.joined(separator: ", "))")
    }
}
