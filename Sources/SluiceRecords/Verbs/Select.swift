/// `select`: keeps only the named fields.
package struct Select: FieldListVerb {
    package static let declaration = Declaration(
        "select", "keeps only these fields", argument: .list(.field, isSet: true), example: "select: [time, status]",
        elsewhere: ["cut", "project", "fields", "columns", "pick", "only", "keep_fields"])

    package let names: [String]

    package init(_ names: [String]) {
        self.names = names
    }

    package func change(_ fields: inout Schema) { fields.select(names) }
    package func change(_ shape: inout Shape) { shape.select(names) }
}

extension Records {
    /// Keeps only these fields of each record.
    public func select(_ fields: [String], name: String? = nil) -> Records { adding(Select.self, name) { $0.argument(fields) } }
}
