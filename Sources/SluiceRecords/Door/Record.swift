public import SluiceCEL

/// One record, as a closure sees it: its fields by name, in their order.
///
/// Names are the same only if their bytes are. Reading or setting a field looks through the names,
/// so that the cost grows with the number of fields.
public struct Record: Sendable {
    struct Field: Sendable {
        var name: String
        var value: Value
        /// Whether it is no longer what ``Record/text`` says.
        var isChanged: Bool
    }

    /// The record as JSON, as it came; nil where it did not come as JSON.
    let text: ByteBuffer?
    private(set) var fields: [Field]
    /// Where the record came from; nil for one that was made from others, or by the program.
    public let source: Source?

    /// The place of a record in an input.
    public struct Source: Sendable, Hashable {
        /// The path of its file, or `-`.
        public var file: String
        /// Its line, from 1.
        public var line: UInt64
        /// The byte of the decompressed text where it begins, from 0.
        public var offset: UInt64
        /// The gzip member that it begins in, from 0.
        public var member: Int
    }

    init(fields: [Field], text: ByteBuffer?, source: Source?) {
        self.fields = fields
        self.text = text
        self.source = source
    }

    /// A record of the program's own. Of equal names the last counts.
    public init(_ fields: KeyValuePairs<String, Value> = [:]) {
        self.init(fields: [], text: nil, source: nil)
        for (name, value) in fields { self[name] = value }
    }

    /// The names of the fields, in their order.
    public var names: [String] { fields.map(\.name) }

    /// The value of a field; nil where the record has none of that name. Setting it to nil takes
    /// the field away; a new field comes last.
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

    /// Gives a field a value with its type, in place of what JSON made of it. Its text stays right.
    mutating func take(_ value: Value, as name: String) {
        if let index = index(of: name) { fields[index].value = value }
    }

    /// About the bytes of memory that it takes.
    var weight: Int { 128 + 96 * fields.count + 2 * (text?.capacity ?? 0) }

    func index(of name: String) -> Int? { fields.firstIndex { $0.name.isSame(as: name) } }
}

extension Record: CustomStringConvertible {
    /// The fields, as an expression that makes them.
    public var description: String { "{" + fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "}" }
}
