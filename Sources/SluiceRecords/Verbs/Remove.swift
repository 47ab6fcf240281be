/// `remove`: takes the named fields away.
package struct Remove: Verb, EachStep {
    package static let declaration = Declaration(
        "remove", "takes these fields away", argument: .list(.field, isSet: true), example: "remove: [agent]")

    private let names: [String]

    package init(_ names: [String]) {
        self.names = names
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let leaves = argument.leaves else { return nil }
        checking.checkFields(leaves)
        self.init(leaves.map(\.text))
        for name in names { checking.fields.remove(name) }
    }

    package var mentions: [String] { names }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        for name in names { binder.shape.remove(name) }
        return ReshapeStage(site: site)
    }
}

extension Records {
    /// Takes these fields away.
    public func remove(_ fields: [String], name: String? = nil) -> Records { adding(Remove.self, name) { $0.argument(fields) } }
}
