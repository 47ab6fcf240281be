/// `remove`: removes the named fields.
package struct Remove: FieldListVerb {
    package static let declaration = Declaration(
        "remove", "removes these fields", argument: .list(.field, isSet: true), example: "remove: [agent]",
        elsewhere: ["unset", "delete", "del", "omit", "without", "remove_fields", "drop_fields", "drop_columns"])

    package let names: [String]

    package init(_ names: [String]) {
        self.names = names
    }

    package func change(_ fields: inout Schema) { for name in names { fields.remove(name) } }
    package func change(_ shape: inout Shape) { for name in names { shape.remove(name) } }
}

extension Records {
    /// Removes these fields.
    public func remove(_ fields: [String], name: String? = nil) -> Records { adding(Remove.self, name) { $0.argument(fields) } }
}
