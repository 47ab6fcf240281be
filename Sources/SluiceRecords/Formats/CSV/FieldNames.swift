import SluiceCEL

/// Reads the names of a file's fields from its head.
enum FieldNames {
    struct Fault: Error {
        var message: String
    }

    /// The number of fields in a head.
    static func count(in head: UnsafeBufferPointer<UInt8>, _ quoting: Quoting) -> Result<Int, Fault> {
        read(head, quoting, columns: 0) { count, _ in count }
    }

    /// The names in the head, made unique; see ``unique(_:)``. Invalid UTF-8 becomes U+FFFD.
    static func all(in head: UnsafeBufferPointer<UInt8>, _ quoting: Quoting) -> Result<[String], Fault> {
        count(in: head, quoting).flatMap { count in
            read(head, quoting, columns: count) { _, cells in
                unique((0..<count).map { String(decoding: cells[$0].textBytes, as: UTF8.self) })
            }
        }
    }

    private static func read<Found>(
        _ head: UnsafeBufferPointer<UInt8>, _ quoting: Quoting, columns: Int, _ body: (Int, UnsafeMutablePointer<Cell>) -> Found
    ) -> Result<Found, Fault> {
        // Copied, because decoders need padding after the text.
        let buffer = ByteBuffer(capacity: head.count)
        buffer.append(head)
        let cells = UnsafeMutablePointer<Cell>.allocate(capacity: max(1, columns))
        cells.initialize(repeating: .absent, count: max(1, columns))
        defer { cells.deallocate() }
        let fields = (0..<columns).map { FieldWalk.Field(column: $0, type: .string) }
        return fields.withUnsafeBufferPointer { fields in
            buffer.withFilled { text -> Result<Found, Fault> in
                let arena = TextArena()
                let walk = FieldWalk(quoting, nulls: Nulls([]), fields: fields, text: arena)
                let start = UnsafePointer(buffer.start)
                let end = start + text.withoutReturns.count
                do throws(FieldFault) {
                    let count = try walk.record(start, end, cells).count
                    return withExtendedLifetime(arena) { .success(body(count, cells)) }
                } catch {
                    return .failure(Fault(message: error.message(in: text, quoting)))
                }
            }
        }
    }

    /// Makes names unique. A repeated name gets a number: `a,a` becomes `a` and `a_2`. A field
    /// without a name is named by its position: `column_3`. Neither takes a name that the head
    /// gives to another field.
    static func unique(_ names: [String]) -> [String] {
        let given = Swift.Set(names.map { Name($0) })
        var used: Swift.Set<Name> = []
        var next: [Name: Int] = [:]
        return names.enumerated().map { index, name in
            if !name.isEmpty, used.insert(Name(name)).inserted { return name }
            let base = name.isEmpty ? "column_\(index + 1)" : name
            if name.isEmpty, !given.contains(Name(base)), used.insert(Name(base)).inserted { return base }
            var number = next[Name(base)] ?? 2
            while given.contains(Name("\(base)_\(number)")) || !used.insert(Name("\(base)_\(number)")).inserted { number += 1 }
            next[Name(base)] = number + 1
            return "\(base)_\(number)"
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The record without trailing carriage returns. There may be two, if a program wrote `\r\n` in
    /// text mode, which turns each `\n` into `\r\n`.
    @inline(__always)
    var withoutReturns: UnsafeBufferPointer {
        var count = count
        while count > 0, self[count - 1] == 0x0D { count -= 1 }
        return UnsafeBufferPointer(rebasing: self[..<count])
    }
}
