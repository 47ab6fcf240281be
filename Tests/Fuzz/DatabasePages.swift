/// The pages of a SQLite database, of which it knows just enough to count the rows of a table
/// (<https://www.sqlite.org/fileformat2.html>).
struct DatabasePages {
    private let bytes: [UInt8]
    private let size: Int

    /// - Returns: `nil` unless pages have 512 bytes, and text is UTF-8.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 512, bytes[16] == 2, bytes[17] == 0, bytes[56..<60].elementsEqual([0, 0, 0, 1]) else { return nil }
        self.bytes = bytes
        size = 512
    }

    private struct Page {
        var kind: UInt8
        var start: Int
        var cells: [Int]
        var right: Int
    }

    private func page(_ number: Int) -> Page? {
        let start = (number - 1) * size
        let head = start + (number == 1 ? 100 : 0)
        guard number > 0, start + size <= bytes.count else { return nil }
        let isInner = bytes[head] == 5
        let count = self.number(at: head + 3, bytes: 2)
        let array = head + (isInner ? 12 : 8)
        guard isInner || bytes[head] == 13, array + 2 * count <= start + size else { return nil }
        let cells = (0..<count).map { start + self.number(at: array + 2 * $0, bytes: 2) }
        guard cells.allSatisfy({ $0 + 9 <= start + size }) else { return nil }
        return Page(kind: bytes[head], start: start, cells: cells, right: isInner ? self.number(at: head + 8, bytes: 4) : 0)
    }

    private func number(at place: Int, bytes count: Int) -> Int { bytes[place..<place + count].reduce(0) { $0 << 8 | Int($1) } }

    /// A number of seven bits in each byte.
    private func variable(_ place: inout Int) -> Int? {
        var value = 0
        for _ in 0..<4 {
            guard place < bytes.count else { return nil }
            value = value << 7 | Int(bytes[place] & 0x7F)
            place += 1
            if bytes[place - 1] < 0x80 { return value }
        }
        return nil
    }

    /// The cells of all leaves, in order; `nil` if this cannot be a tree of rows.
    private func cells(under root: Int, depth: Int = 0) -> [Int]? {
        guard depth < 8, let page = page(root) else { return nil }
        guard page.kind == 5 else { return page.cells }
        var all: [Int] = []
        for child in page.cells.map({ number(at: $0, bytes: 4) }) + [page.right] {
            guard let cells = cells(under: child, depth: depth + 1), all.count < 10_000 else { return nil }
            all += cells
        }
        return all
    }

    /// - Parameter name: `nil` for the only table or view.
    /// - Returns: `nil` if it is no ordinary table, or cannot be found this way.
    func rowCount(of name: String?) -> Int? {
        guard let cells = cells(under: 1) else { return nil }
        var roots: [Int] = []
        for cell in cells {
            guard let texts = texts(at: cell) else { return nil }
            guard texts.kind == "table" || texts.kind == "view", name == nil || texts.name == name, !texts.name.hasPrefix("sqlite_") else { continue }
            let statement = texts.statement.uppercased()
            guard texts.kind == "table", statement.hasPrefix("CREATE TABLE"), !statement.contains("WITHOUT") else { return nil }
            roots.append(texts.root)
        }
        guard roots.count == 1 else { return nil }
        return self.cells(under: roots[0])?.count
    }

    /// A row of the table of tables, if it fits its page.
    private func texts(at cell: Int) -> (kind: String, name: String, root: Int, statement: String)? {
        var place = cell
        guard let size = variable(&place), size < 470, variable(&place) != nil else { return nil }
        let head = place
        guard let headSize = variable(&place) else { return nil }
        var types: [Int] = []
        while place < head + headSize {
            guard let type = variable(&place) else { return nil }
            types.append(type)
        }
        guard types.count == 5, types[3] == 1, [0, 1, 4].allSatisfy({ types[$0] >= 13 && types[$0] % 2 == 1 }) else { return nil }
        var values: [ArraySlice<UInt8>] = []
        for type in types {
            let count = type >= 12 ? (type - 12) / 2 : type
            guard place + count <= bytes.count, count < 512 else { return nil }
            values.append(bytes[place..<place + count])
            place += count
        }
        func text(_ index: Int) -> String { String(decoding: values[index], as: UTF8.self) }
        return (text(0), text(1), Int(values[3].first ?? 0), text(4))
    }
}
