/// Names and paths as the system has them: bytes, usually UTF-8.
enum NameBytes {
    static let slash = UInt8(ascii: "/")
    static let dot = UInt8(ascii: ".")

    /// The path as a C string.
    static func terminated(_ path: [UInt8]) -> [CChar] { path.map { CChar(bitPattern: $0) } + [0] }

    /// The code points of a name. An invalid byte becomes a unit of its own, above all code points.
    static func units(_ name: some Collection<UInt8>) -> [UInt32] {
        if let text = String(validating: name, as: UTF8.self) { return text.unicodeScalars.map(\.value) }
        var units: [UInt32] = []
        var rest = Array(name)[...]
        while let byte = rest.first {
            let length = (1...4).first { $0 <= rest.count && String(validating: rest.prefix($0), as: UTF8.self) != nil }
            let scalar = length.flatMap { String(validating: rest.prefix($0), as: UTF8.self)?.unicodeScalars.first }
            units.append(scalar?.value ?? 0x11_0000 + UInt32(byte))
            rest = rest.dropFirst(length ?? 1)
        }
        return units
    }

    /// The path for messages, such as `caf\xE9` if it is not UTF-8.
    static func shown(_ path: [UInt8]) -> String {
        var shown = String.UnicodeScalarView()
        for unit in units(path) {
            if let scalar = Unicode.Scalar(unit) {
                shown.append(scalar)
            } else {
                shown.append(contentsOf: "\\x\(String(unit - 0x11_0000, radix: 16, uppercase: true))".unicodeScalars)
            }
        }
        return String(shown)
    }

    /// The part of a path after its last slash.
    static func lastName(of path: String) -> String {
        path.utf8.lastIndex(of: slash).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }

    /// The path without `.` and repeated slashes.
    static func normalized(_ path: String) -> String {
        let names = path.utf8.split(separator: slash).filter { !$0.elementsEqual([dot]) }
        return (path.utf8.first == slash ? "/" : "") + names.map { String(Substring($0)) }.joined(separator: "/")
    }
}
