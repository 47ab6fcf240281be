/// The header block of a file in a tar archive: V7, ustar, pax or GNU.
///
/// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, and the GNU tar manual,
/// "Basic Tar Format".
struct TarHeader: Equatable {
    /// The size of a block in bytes.
    static let count = 512

    static let sparseFiles = "sparse files"

    enum Kind: Equatable {
        case file
        /// What the archive contains instead of a file that can be read, as reports say it.
        case skipped(String)
        /// Pax records for the next file.
        case pax
        /// Pax records for all files that follow.
        case paxDefaults
        /// The name of the next file.
        case longName
        /// The target of the next link.
        case longTarget
    }

    var kind: Kind
    /// The name, with the prefix of a ustar header.
    var name: [UInt8]
    /// The number of bytes that the header says follow, not rounded up to a block.
    var size: UInt64
    /// Whether the header may give a size although no data follows, as old programs write it for
    /// links and folders.
    var mayLackData = false
    /// Whether more blocks of the map of a sparse file follow.
    var hasMoreOfMap = false

    /// Whether the bytes begin with the header of a file, recognized by its checksum, the sum of
    /// its 512 bytes. No text has one.
    static func begins(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count >= count, bytes[0] != 0, bytes[..<100].contains(0) || hasMark(bytes) else { return false }
        return isSound(UnsafeBufferPointer(rebasing: bytes[..<count]))
    }

    /// `ustar`, as all but the oldest programs write it.
    static let mark: [UInt8] = Array("ustar".utf8)
    static let markPlace = 257

    static func hasMark(_ block: UnsafeBufferPointer<UInt8>) -> Bool { block[markPlace...].starts(with: mark) }

    /// Whether the block matches its checksum. Some old programs summed up signed bytes.
    static func isSound(_ block: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let stored = octal(block[148..<156]) else { return false }
        var (sum, signed) = (0, 0)
        for (index, byte) in block.enumerated() {
            let byte = (148..<156).contains(index) ? 0x20 : byte
            sum += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        return Int(exactly: stored).map { $0 == sum || $0 == signed } ?? false
    }

    static func isZero(_ block: UnsafeBufferPointer<UInt8>) -> Bool { block.allSatisfy { $0 == 0 } }

    /// - Parameter block: 512 bytes.
    /// - Returns: `nil` if the block is not a header.
    init?(_ block: UnsafeBufferPointer<UInt8>) {
        guard Self.isSound(block), !Self.isZero(block), let size = Self.number(block[124..<136]), size < 1 << 62 else { return nil }
        self.size = size
        // GNU's header has other fields where POSIX has the prefix.
        let prefix = block[Self.markPlace...].starts(with: Self.mark + [0]) ? Self.text(block[345..<500]) : []
        name = (prefix.isEmpty ? [] : prefix + [NameBytes.slash]) + Self.text(block[..<100])
        switch block[156] {
        case UInt8(ascii: "0"), UInt8(ascii: "7"): kind = .file
        // V7 has no folders, only names that end so.
        case 0 where name.last == NameBytes.slash: (kind, mayLackData) = (.skipped("folders"), true)
        case 0: kind = .file
        case UInt8(ascii: "1"): (kind, mayLackData) = (.skipped("hard links"), true)
        case UInt8(ascii: "2"): (kind, mayLackData) = (.skipped("symbolic links"), true)
        case UInt8(ascii: "3"), UInt8(ascii: "4"): (kind, mayLackData) = (.skipped("devices"), true)
        case UInt8(ascii: "5"): (kind, mayLackData) = (.skipped("folders"), true)
        case UInt8(ascii: "6"): (kind, mayLackData) = (.skipped("named pipes"), true)
        case UInt8(ascii: "S"): (kind, hasMoreOfMap) = (.skipped(Self.sparseFiles), block[482] != 0)
        case UInt8(ascii: "M"): kind = .skipped("rests of other volumes")
        case UInt8(ascii: "x"), UInt8(ascii: "X"): kind = .pax
        case UInt8(ascii: "g"): kind = .paxDefaults
        case UInt8(ascii: "L"): kind = .longName
        case UInt8(ascii: "K"): kind = .longTarget
        default: kind = .skipped("other entries")
        }
    }

    private static func text(_ field: Slice<UnsafeBufferPointer<UInt8>>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// A number in octal digits or, if the first bit is set, in binary. `nil` if it is neither, or
    /// negative.
    private static func number(_ field: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        guard let first = field.first, first & 0x80 != 0 else { return octal(field) ?? (text(field).allSatisfy { $0 == 0x20 } ? 0 : nil) }
        guard first == 0x80 else { return nil }
        let bytes = field.dropFirst()
        guard bytes.dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
        return bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func octal(_ field: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        let digits = field.drop { $0 == 0x20 }.prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        let rest = field[digits.endIndex...]
        guard !digits.isEmpty, rest.first.map({ $0 == 0 || $0 == 0x20 }) ?? true else { return nil }
        return digits.reduce(0) { $0 << 3 | UInt64($1 - UInt8(ascii: "0")) }
    }
}

/// The records of a pax header, as far as reading needs them.
struct PaxRecords: Equatable {
    var path: [UInt8]?
    var size: UInt64?
    /// Whether the file is stored without its holes, by one of GNU's three ways.
    var isSparse = false

    /// Adds records, each a length, a space, a key, `=`, a value and a line feed. A record with an
    /// empty value removes what an earlier one has set.
    ///
    /// - Returns: false if they are not such records.
    mutating func add(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while let first = rest.first, first != 0 {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            let count = digits.count < 10 ? digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } : 0
            let start = digits.endIndex + 1
            let end = rest.startIndex + count
            guard count > 0, end <= rest.endIndex, start < end, rest[digits.endIndex] == 0x20, rest[end - 1] == 0x0A,
                let mark = rest[start..<end].firstIndex(of: UInt8(ascii: "="))
            else { return false }
            let value = rest[(mark + 1)..<(end - 1)]
            guard set(String(decoding: rest[start..<mark], as: UTF8.self), value) else { return false }
            rest = rest[end...]
        }
        return true
    }

    private mutating func set(_ key: String, _ value: ArraySlice<UInt8>) -> Bool {
        switch key {
        case "path", "GNU.sparse.name": path = value.isEmpty ? nil : Array(value)
        case "size":
            size = UInt64(String(decoding: value, as: UTF8.self)).flatMap { $0 < 1 << 62 ? $0 : nil }
            return value.isEmpty || size != nil
        case _ where key.hasPrefix("GNU.sparse."): isSparse = !value.isEmpty
        default: break
        }
        if key == "GNU.sparse.name" { isSparse = true }
        return true
    }
}
