import SluiceCEL

/// `rename`: renames fields, all at once: `{a: b, b: a}` swaps two.
///
/// An existing field with the new name is replaced in records that have the old one.
package struct Rename: Verb, EachStep {
    package static let declaration = Declaration(
        "rename", "renames fields, all at once", argument: .entries(key: .field, value: .newField), example: "rename: {old: new}",
        elsewhere: ["rename_fields", "move", "mv", "relabel"])

    private let names: [(old: String, new: String)]

    package init(_ names: [(old: String, new: String)]) {
        self.names = names
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let entries = argument.entries else { return nil }
        checking.checkFields(entries.map(\.key))
        var names: [(old: String, new: String)] = []
        for entry in entries {
            guard let new = entry.value.leaf else { continue }
            if names.contains(where: { $0.new.isSame(as: new.text) }) {
                checking.report("two fields cannot both be renamed to '\(new.text)'", at: new.place)
            }
            names.append((entry.key.text, new.text))
        }
        self.init(names)
        checking.fields.rename(names)
    }

    package var mentions: [String] { names.flatMap { [$0.old, $0.new] } }
    package var reads: [String] { names.map(\.old) }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        var merges: [ReshapeStage.Merge] = []
        for move in moves {
            if let merge = binder.rename(move.old, to: move.new) { merges.append(merge) }
        }
        return ReshapeStage(site: site, merges: merges)
    }

    /// The renames one after the other, with the same effect as all at once: if a field takes the
    /// name of another, via temporary names that no field has.
    private var moves: [(old: String, new: String)] {
        guard names.contains(where: { name in names.contains { $0.old.isSame(as: name.new) && !$0.old.isSame(as: name.old) } }) else { return names }
        let parked = names.enumerated().map { "\u{0}\($0.offset)" }
        return zip(names, parked).map { ($0.old, $1) } + zip(parked, names).map { ($0, $1.new) }
    }
}

extension Records {
    /// Renames fields, all at once: `["a": "b", "b": "a"]` swaps two.
    public func rename(_ names: KeyValuePairs<String, String>, name: String? = nil) -> Records {
        adding(Rename.self, name) { $0.argument(names) }
    }
}
