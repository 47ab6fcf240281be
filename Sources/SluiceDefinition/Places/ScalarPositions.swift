internal import SluiceRecords

/// Finds the position in the file of every byte of a YAML scalar's value.
///
/// YAML folds lines, strips indentation and decodes escapes, but characters other than white space
/// keep their order. So value and file are scanned in parallel, skipping white space where they
/// differ. If they still diverge, the rest is placed at the scalar's start.
struct ScalarPositions {
    enum Style: Sendable {
        case plain, singleQuoted, doubleQuoted, block
    }

    private let source: SourceText
    private let style: Style
    private var index: Int

    /// `start` is the mark of the YAML parser: the first character, quote, `|` or `>`, or the
    /// anchor or tag before it.
    private init(style: Style, start: TextPosition, source: SourceText) {
        self.source = source
        self.style = style
        index = source.index(of: start)
        skipProperties()
        switch style {
        case .plain: break
        case .singleQuoted, .doubleQuoted: index += 1
        case .block: index = source.startOfLine(after: source.position(at: index))
        }
    }

    /// One position for each UTF-8 byte of `value`, and one for its end.
    static func positions(of value: String, style: Style, start: TextPosition, in source: SourceText) -> [TextPosition] {
        var walk = ScalarPositions(style: style, start: start, source: source)
        var positions: [TextPosition] = []
        positions.reserveCapacity(value.utf8.count + 1)
        for scalar in value.unicodeScalars {
            let position = walk.find(scalar) ?? start
            for _ in 0..<UTF8.width(scalar) { positions.append(position) }
        }
        positions.append(source.position(at: walk.index))
        return positions
    }

    private mutating func skipProperties() {
        while let scalar = current, scalar == "&" || scalar == "!" {
            while let scalar = current, !isBlank(scalar) { index += 1 }
            skipBlanks()
        }
    }

    private mutating func find(_ wanted: Unicode.Scalar) -> TextPosition? {
        if isBlank(wanted) {
            let place = source.position(at: index)
            if current == wanted { index += 1 }
            return place
        }
        skipBlanks()
        guard let scalar = current else { return nil }
        let place = source.position(at: index)
        switch (style, scalar) {
        case (.singleQuoted, "'"): index += 2
        case (.doubleQuoted, "\\"): index += escapeLength
        case (_, wanted): index += 1
        default: return nil
        }
        return place
    }

    private var current: Unicode.Scalar? { index < source.scalars.count ? source.scalars[index] : nil }

    /// Skips white space, and escapes that stand for it.
    private mutating func skipBlanks() {
        while let scalar = current {
            if isBlank(scalar) {
                index += 1
            } else if style == .doubleQuoted, scalar == "\\", index + 1 < source.scalars.count,
                "ntr eNLP_\n\r".unicodeScalars.contains(source.scalars[index + 1])
            {
                index += 2
            } else {
                return
            }
        }
    }

    private var escapeLength: Int {
        guard index + 1 < source.scalars.count else { return 1 }
        switch source.scalars[index + 1] {
        case "x": return 4
        case "u": return 6
        case "U": return 10
        default: return 2
        }
    }

    private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || SourceText.isLineBreak(scalar)
    }
}
