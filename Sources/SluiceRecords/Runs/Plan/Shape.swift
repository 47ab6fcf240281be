import SluiceCEL

/// Which fields the records have at one place of a pipeline, where each is found in a row, and how
/// a record is written from there.
///
/// A picture that the plan makes once; the records only bring the cells. Fields that no stage
/// touched are never looked for: they pass from the record's own bytes to the output.
package struct Shape: Sendable {
    typealias Member = JSONRewrite.Member
    typealias Written = JSONFields.Field

    enum Base: Sendable {
        /// The record's bytes are a JSON object: members are copied from it, then ``written``
        /// follows.
        case json
        /// The record's bytes are of another format: ``written`` is all there is.
        case other
    }

    let base: Base
    /// The decoder's columns by name: every name that any stage up to the next decoding mentions.
    let baseColumns: [Name: Int]
    /// JSON only: the members that stages have touched, in the order they were touched.
    private(set) var members: [Member] = []
    /// JSON only: whether members that no stage touched are written.
    private(set) var passesRest = true
    private(set) var written: [Written]
    /// The column of a field that the decoder was not asked for.
    static let undecoded = -1
    /// Names whose value is not (or no longer) where the decoder put it; `nil`: there is no such
    /// field any more.
    private var moved: [Name: Int?] = [:]

    /// The fields of a JSON record as it comes.
    init(json columns: [(name: String, column: Int)]) {
        base = .json
        baseColumns = Dictionary(columns.map { (Name($0.name), $0.column) }) { first, _ in first }
        written = []
    }

    /// The fields of another format, in the order they are written.
    init(fields: [(name: String, column: Int)]) {
        base = .other
        baseColumns = Dictionary(fields.map { (Name($0.name), $0.column) }) { first, _ in first }
        written = fields.map { Written(key: $0.name, column: $0.column) }
        passesRest = false
    }

    /// Of records that are not JSON: every field that one may have, in the order they are written.
    var fieldNames: [String] {
        var seen: Swift.Set<Name> = []
        return written.map(\.key).filter { seen.insert(Name($0)).inserted }
    }

    /// Whether a record is still what its own bytes say.
    var isUntouched: Bool {
        guard moved.isEmpty else { return false }
        return base == .other || (members.isEmpty && written.isEmpty && passesRest)
    }

    /// The column that holds the field's value in every row that has it; `nil` where no row can
    /// have it.
    func column(of name: String) -> Int? {
        if let place = moved[Name(name)] { return place }
        switch base {
        case .json: return passesRest ? baseColumns[Name(name)] : nil
        case .other: return baseColumns[Name(name)]
        }
    }

    /// The field's value is in `column` from here on.
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

    /// Only the named fields remain. Fields of JSON records keep the record's order, others their
    /// own.
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

    /// The field `old` is called `new` from here on. In rows without `old`, a field that was called
    /// `new` before stays.
    /// - Parameter merged: a fresh column for the value of `new` in all rows; used, and to be
    ///   filled by the stage, where both may exist.
    /// - Returns: the columns whose values are merged, the first that is not absent; `nil` where
    ///   nothing is to be done for a row.
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
    /// The name it is written under; `nil`: it is not written.
    fileprivate var key: String? {
        switch fate {
        case .keep: name
        case .cut, .yield: nil
        case .rename(let key): key
        case .replace(let key, _): key
        }
    }
}
