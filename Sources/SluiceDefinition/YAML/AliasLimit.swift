internal import SluiceRecords

/// Rejects files with excessively many YAML aliases, before the parser resolves them.
///
/// Twenty aliases can multiply to a few thousand copies at most, which the limit of nodes then
/// counts. Without this limit, a key made of nested aliases would keep the parser busy forever with
/// comparing keys.
enum AliasLimit {
    static let aliases = 20
    static let fix = "write the values out, or use params"

    static func diagnostic(for source: SourceText) -> DefinitionDiagnostic? {
        var hasAnchor = false
        var count = 0
        var previous: Unicode.Scalar = "\n"
        for (index, scalar) in source.scalars.enumerated() {
            defer { previous = scalar }
            guard scalar == "*" || scalar == "&", beginsToken(after: previous), index + 1 < source.scalars.count,
                isName(source.scalars[index + 1])
            else { continue }
            if scalar == "&" {
                hasAnchor = true
            } else {
                count += 1
            }
            if hasAnchor, count > aliases {
                let place = TextPlace(source.position(at: index))
                return DefinitionDiagnostic("more than \(aliases) YAML aliases", at: place, fix: fix)
            }
        }
        return nil
    }

    private static func beginsToken(after previous: Unicode.Scalar) -> Bool {
        SourceText.isLineBreak(previous) || " \t[{,:?-".unicodeScalars.contains(previous)
    }

    private static func isName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
    }
}
