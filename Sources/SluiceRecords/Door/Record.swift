public import SluiceCEL

/// A record as a closure sees it: its fields by name, in order.
///
/// Names are compared by their bytes. Reading or setting a field takes time linear in the number of
/// fields.
public struct Record: Sendable {
    struct Field: Sendable {
        var name: String
        var value: Value
        /// Whether it differs from ``Record/text``.
        var isChanged: Bool
    }

    /// The record's original JSON; `nil` if it was not read as JSON.
    let text: ByteBuffer?
    private(set) var fields: [Field]
    /// Where the record came from; `nil` if it was made from other records, or by the program.
    public let source: Source?

    /// The position of a record in an input.
    public struct Source: Sendable, Hashable {
        /// The path of the file, or `-`.
        public var file: String
        /// The line number, from 1.
        public var line: UInt64
        /// The offset of its first byte in the decompressed text.
        public var offset: UInt64
        /// The gzip member in which it begins, from 0.
        public var member: Int
    }

    init(fields: [Field], text: ByteBuffer?, source: Source?) {
        self.fields = fields
        self.text = text
        self.source = source
    }

    /// Creates a record. Of duplicate names, the last wins.
    public init(_ fields: KeyValuePairs<String, Value> = [:]) {
        self.init(fields: [], text: nil, source: nil)
        for (name, value) in fields { self[name] = value }
    }

    /// The names of the fields, in order.
    public var names: [String] { fields.map(\.name) }

    /// The value of a field; `nil` if the record has no such field. Setting it to `nil` removes the
    /// field; a new field is added at the end.
    public subscript(_ name: String) -> Value? {
        get { index(of: name).map { fields[$0].value } }
        set {
            switch (index(of: name), newValue) {
            case (let index?, let value?): fields[index] = Field(name: fields[index].name, value: value, isChanged: true)
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): fields.append(Field(name: name, value: value, isChanged: true))
            case (nil, nil): break
            }
        }
    }

    /// Restores the type of a field's value that JSON could not express. The record's text stays
    /// valid.
    mutating func take(_ value: Value, as name: String) {
        if let index = index(of: name) { fields[index].value = value }
    }

    /// An estimate of the memory in use, in bytes.
    var weight: Int { 128 + 96 * fields.count + 2 * (text?.capacity ?? 0) }

    func index(of name: String) -> Int? { fields.firstIndex { $0.name.isSame(as: name) } }
}

extension Record: CustomStringConvertible {
    /// The fields, as an expression that makes them.
    public var description: String { "{" + fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "}" }
}
