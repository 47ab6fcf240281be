import SluiceCEL

/// The fields of the records at one place of a pipeline: where each is found in a row, and how a
/// record is written from there.
///
/// The plan computes this once; records only supply the cells. Fields that no stage touched are
/// never looked up: they are copied from the record's own bytes to the output.
package struct Shape: Sendable {
    typealias Member = JSONRewrite.Member
    typealias Written = JSONFields.Field

    enum Base: Sendable {
        /// The record's bytes are a JSON object: its members are copied, followed by ``written``.
        case json
        /// The record's bytes are of another format: only ``written`` is written.
        case other
    }

    let base: Base
    /// The decoder's columns by field: every name that a stage up to the next decoding mentions.
    let baseColumns: [Name: Int]
    /// JSON only: the members that stages have touched, in the order in which they did.
    private(set) var members: [Member] = []
    /// JSON only: whether members that no stage touched are written.
    private(set) var passesRest = true
    private(set) var written: [Written]
    /// Stands for the column of a field that the decoder was not asked for.
    static let undecoded = -1
    /// The columns of fields that are not, or no longer, where the decoder put them; `nil` for a
    /// field that no longer exists.
    private var moved: [Name: Int?] = [:]

    /// The fields of a JSON record as read.
    init(json columns: [(name: String, column: Int)]) {
        base = .json
        baseColumns = Dictionary(columns.map { (Name($0.name), $0.column) }) { first, _ in first }
        written = []
    }

    /// The fields of another format, in the order in which they are written.
    init(fields: [(name: String, column: Int)]) {
        base = .other
        baseColumns = Dictionary(fields.map { (Name($0.name), $0.column) }) { first, _ in first }
        written = fields.map { Written(key: $0.name, column: $0.column) }
        passesRest = false
    }

    /// For records that are not JSON: every field that one may have, in the order of writing.
    var fieldNames: [String] {
        var seen: Swift.Set<Name> = []
        return written.map(\.key).filter { seen.insert(Name($0)).inserted }
    }

    /// Whether a record is unchanged from its own bytes.
    var isUntouched: Bool {
        guard moved.isEmpty else { return false }
        return base == .other || (members.isEmpty && written.isEmpty && passesRest)
    }

    /// The column that holds the field's value in every row that has the field; `nil` if no row
    /// can.
    func column(of name: String) -> Int? {
        if let place = moved[Name(name)] { return place }
        switch base {
        case .json: return passesRest ? baseColumns[Name(name)] : nil
        case .other: return baseColumns[Name(name)]
        }
    }

    /// Moves the field's value to `column`.
    mutating func set(_ name: String, column: Int) {
        let isInBase = base == .json && self.column(of: name) != nil && moved[Name(name)] == nil
        moved[Name(name)] = column
        if let place = written.firstIndex(where: { $0.key.isSame(as: name) }) {
            written[place] = Written(key: name, column: column)
        } else if let place = members.firstIndex(where: { $0.key?.isSame(as: name) == true }) {
            members[place].fate = .replace(key: name, column: column)
        } else if isInBase, let baseColumn = baseColumns[Name(name)] {
            touch(name, baseColumn, .replace(key: name, column: column))
        } else {
            written.append(Written(key: name, column: column))
        }
    }

    package mutating func remove(_ name: String) {
        let isInBase = base == .json && self.column(of: name) != nil && moved[Name(name)] == nil
        moved[Name(name)] = .some(nil)
        written.removeAll { $0.key.isSame(as: name) }
        if let place = members.firstIndex(where: { $0.key?.isSame(as: name) == true }) {
            members[place].fate = .cut
        } else if isInBase, let baseColumn = baseColumns[Name(name)] {
            touch(name, baseColumn, .cut)
        }
    }

    /// Removes all but the named fields. Fields of JSON records stay in the order of the record,
    /// others in the order of the shape.
    package mutating func select(_ names: [String]) {
        let wanted = Swift.Set(names.map { Name($0) })
        var places: [Name: Int?] = [:]
        for name in Swift.Set(moved.keys).union(baseColumns.keys) {
            places[name] = wanted.contains(name) ? column(of: name.text) : .some(nil)
        }
        written.removeAll { !wanted.contains(Name($0.key)) }
        for place in members.indices where members[place].key.map({ wanted.contains(Name($0)) }) != true { members[place].fate = .cut }
        if base == .json && passesRest {
            for name in names where !members.contains(where: { $0.name.isSame(as: name) }) {
                if let column = baseColumns[Name(name)] { members.append(Member(column: column, name: name, fate: .keep)) }
            }
        }
        passesRest = false
        moved = places
    }

    /// Renames the field `old` to `new`. Rows without `old` keep the field that was called `new`
    /// before.
    /// - Parameter merged: a fresh column for the value of `new`. Used only if both fields may
    ///   exist; the stage must then fill it.
    /// - Returns: the columns to merge into it, where the first that is not absent wins; `nil` if
    ///   rows need no work.
    mutating func rename(_ old: String, to new: String, merged: Int) -> (first: Int, second: Int)? {
        guard !old.isSame(as: new), let source = column(of: old) else { return nil }
        let target = column(of: new)
        if target != nil { yield(new, to: source) }
        if let place = written.firstIndex(where: { $0.key.isSame(as: old) }) {
            written[place].key = new
        } else if let place = members.firstIndex(where: { $0.key?.isSame(as: old) == true }) {
            switch members[place].fate {
            case .replace(_, let column): members[place].fate = .replace(key: new, column: column)
            default: members[place].fate = .rename(to: new)
            }
        } else if let baseColumn = baseColumns[Name(old)] {
            touch(old, baseColumn, .rename(to: new))
        }
        moved[Name(old)] = .some(nil)
        moved[Name(new)] = target == nil ? source : merged
        return target.map { (source, $0) }
    }

    private mutating func yield(_ name: String, to column: Int) {
        if let place = written.firstIndex(where: { $0.key.isSame(as: name) }) {
            written[place].unless = column
        } else if let place = members.firstIndex(where: { $0.key?.isSame(as: name) == true }) {
            members[place].fate = .yield(to: column)
        } else if let baseColumn = baseColumns[Name(name)] {
            touch(name, baseColumn, .yield(to: column))
        }
    }

    private mutating func touch(_ name: String, _ column: Int, _ fate: JSONRewrite.Fate) {
        if let place = members.firstIndex(where: { $0.name.isSame(as: name) }) {
            members[place].fate = fate
        } else {
            members.append(Member(column: column, name: name, fate: fate))
        }
    }
}

extension JSONRewrite.Member {
    /// The name that it is written under; `nil` if it is not written.
    fileprivate var key: String? {
        switch fate {
        case .keep: name
        case .cut, .yield: nil
        case .rename(let key): key
        case .replace(let key, _): key
        }
    }
}
