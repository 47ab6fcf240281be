/// `select`: keeps only the named fields.
package struct Select: Verb, EachStep {
    package static let declaration = Declaration(
        "select", "keeps only these fields", argument: .list(.field, isSet: true), example: "select: [time, status]")

    private let names: [String]

    package init(_ names: [String]) {
        self.names = names
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let leaves = argument.leaves else { return nil }
        checking.checkFields(leaves)
        self.init(leaves.map(\.text))
        checking.fields.select(names)
    }

    package var mentions: [String] { names }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        binder.shape.select(names)
        return ReshapeStage(site: site)
    }
}

extension Records {
    /// Keeps only these fields of each record.
    public func select(_ fields: [String], name: String? = nil) -> Records { adding(Select.self, name) { $0.argument(fields) } }
}
