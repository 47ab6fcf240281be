internal import SluiceRecords

/// Renames duplicate keys of a map so that the YAML parser accepts them; afterwards they are
/// recognized by their positions.
struct DuplicateKeys {
    private var originals: [TextPosition: String] = [:]
    private var renamed: [Unicode.Scalar] = []

    /// In a private use area: no pipeline file has a reason to begin a key with one.
    private static let firstMark: UInt32 = 0xE000
    private static let limit = 100

    /// The text with the key at this position made unique, and all positions unchanged. `nil` if
    /// that is not possible: after 100 such keys, or if no key is found there.
    mutating func rename(keyAt position: TextPosition, in source: SourceText) -> String? {
        if renamed.isEmpty { renamed = source.scalars }
        var index = source.index(of: position)
        guard originals.count < DuplicateKeys.limit, originals[position] == nil, index < renamed.count else { return nil }
        let quote = renamed[index] == "'" || renamed[index] == "\"" ? renamed[index] : nil
        if quote != nil { index += 1 }
        var name = String.UnicodeScalarView()
        for scalar in source.scalars[index...] {
            if let quote { if scalar == quote { break } } else if scalar == ":" || SourceText.isLineBreak(scalar) { break }
            name.append(scalar)
        }
        guard let mark = Unicode.Scalar(DuplicateKeys.firstMark + UInt32(originals.count)), !name.isEmpty else { return nil }
        renamed[index] = mark
        originals[position] = String(name).trimmingSuffix(while: { $0 == " " })
        var view = String.UnicodeScalarView()
        view.append(contentsOf: renamed)
        return String(view)
    }

    /// The original key at this position; `nil` if it was not renamed.
    ///
    /// - Parameter read: the renamed key, unescaped.
    func original(ofKeyAt position: TextPosition, read: String) -> String? {
        guard let written = originals[position], let first = written.unicodeScalars.first else { return nil }
        guard first != "\\" else { return written }
        var key = String.UnicodeScalarView([first])
        key.append(contentsOf: read.unicodeScalars.dropFirst())
        return String(key)
    }
}

extension String {
    fileprivate func trimmingSuffix(while matches: (Character) -> Bool) -> String {
        var rest = self[...]
        while let last = rest.last, matches(last) { rest.removeLast() }
        return String(rest)
    }
}
