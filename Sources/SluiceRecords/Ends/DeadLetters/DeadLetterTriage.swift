import SluiceCEL

/// A dead letter, decoded from its file.
package struct MetDeadLetter: Sendable {
    package var pipeline = ""
    package var definition = ""
    package var stage = ""
    package var code = ""
    package var message = ""
    package var attempts = 1
    /// The file of the record; `nil` after a closing stage.
    package var file: String?
    package var offset: UInt64?
    package var line: UInt64?
    package var member = 0
    /// The record's original bytes.
    package var raw: [UInt8] = []
    package var rawKind = RawKind.none
    /// The size of the record in bytes, if ``raw`` is only its beginning.
    package var rawCutFrom: UInt64?
    /// The record's fields as a JSON object, if there are no original bytes.
    package private(set) var fields: String?

    /// Whether a dead letter has the record's original bytes.
    package enum RawKind: Sendable {
        case bytes
        /// The record was too long; the dead letter has its first bytes.
        case beginning
        /// A stage has redacted them.
        case withheld
        case none
    }

    /// More are not believed, so that sums have room.
    private static let mostAttempts: UInt64 = 1 << 32

    /// - Throws: ``RunError`` if the line is not a dead letter.
    package init(line text: UnsafeBufferPointer<UInt8>, of file: String, number: UInt64) throws(RunError) {
        let value = try? JSONReader().value(ofJSON: text)
        guard case .map(let map)? = value, let stage = map["stage"]?.text, case .map(let error)? = map["error"], let code = error["code"]?.text else {
            throw .report(path: "\(file):\(number)", reason: "not a dead letter: expected an object with 'stage' and 'error'")
        }
        self.stage = stage
        self.code = code
        message = error["message"]?.text ?? ""
        pipeline = map["pipeline"]?.text ?? ""
        definition = map["definition"]?.text ?? ""
        attempts = map["attempts"]?.number.map { Int(min($0, Self.mostAttempts)) } ?? 1
        if case .map(let source)? = map["source"] {
            self.file = source["file"]?.text
            offset = source["offset"]?.number
            line = source["line"]?.number
            member = source["member"]?.number.map { Int(clamping: $0) } ?? 0
        }
        if let raw = map["raw"]?.text {
            self.raw = Array(raw.utf8)
            rawKind = .bytes
        } else if let raw = map["raw_base64"]?.text {
            self.raw = Base64.bytes(of: raw) ?? []
            rawKind = Base64.bytes(of: raw) == nil ? .none : .bytes
        } else if case .null? = map["raw"] {
            rawKind = .withheld
        }
        if case .map(let cut)? = map["raw_cut"], rawKind == .bytes {
            rawCutFrom = cut["of"]?.number
            rawKind = .beginning
        }
        if rawKind == .withheld || rawKind == .none, case .map? = map["record"] { fields = map["record"]?.jsonText }
    }

    /// The message without its variable parts: numbers are replaced with `N`, quoted texts with
    /// `'…'` or `"…"`.
    package var template: String {
        var template = ""
        var rest = Substring(message)
        while let next = rest.first {
            if next == "'" || next == "\"", let end = Self.endOfQuoted(rest) {
                template += "\(next)…\(next)"
                rest = rest[end...]
            } else if next.isASCII, next.isNumber {
                template += "N"
                // Such as a byte, 0xE2.
                rest = rest.hasPrefix("0x") ? rest.dropFirst(2).drop { $0.isHexDigit } : rest.drop { $0.isASCII && $0.isNumber }
            } else {
                template.append(next)
                rest.removeFirst()
            }
        }
        return template
    }

    /// The place after a quoted text, which begins with its quote. In double quotes, a backslash
    /// escapes a quote.
    private static func endOfQuoted(_ text: Substring) -> String.Index? {
        let quote = text[text.startIndex]
        var isEscaped = false
        for index in text.indices.dropFirst() {
            if text[index] == quote, !isEscaped { return text.index(after: index) }
            isEscaped = quote == "\"" && text[index] == "\\" && !isEscaped
        }
        return nil
    }
}

/// What precedes the record's bytes in a dead letter that is too long for memory.
struct DeadLetterBeginning {
    var pipeline = ""
    var definition = ""
    var stage = ""
    var code = ""
    var file: String?

    init(_ letter: SpilledRecord) throws(InputError) {
        let text = try SpillReader(letter).beginning().withFilled { String(decoding: $0.prefix(64 << 10), as: UTF8.self) }
        func value(after key: String) -> String? {
            guard let start = text.firstRange(of: key)?.upperBound, let end = text[start...].firstIndex(of: "\"") else { return nil }
            return String(text[start..<end])
        }
        pipeline = value(after: #"{"pipeline":""#) ?? ""
        definition = value(after: #","definition":""#) ?? ""
        stage = value(after: #","stage":""#) ?? "unreadable"
        code = value(after: #""error":{"code":""#) ?? "unreadable"
        file = value(after: #""source":{"file":""#)
    }
}

/// Dead letters, grouped by stage, code and message.
package struct DeadLetterTriage: Sendable {
    package struct Group: Sendable {
        package var stage: String
        package var code: String
        package var template: String
        package var count = 0
        /// The first dead letters of the group.
        package var examples: [MetDeadLetter] = []
    }

    /// The maximum number of distinct templates; beyond it, all others of a stage and code are
    /// grouped together.
    private static let most = 1000

    package private(set) var count = 0
    private var groups: [Key: Group] = [:]
    private let examples: Int

    private struct Key: Hashable {
        var stage: Name
        var code: Name
        var template: Name
    }

    /// - Parameter examples: the number of examples to keep for each group.
    package init(examples: Int) {
        self.examples = examples
    }

    package mutating func add(_ letter: MetDeadLetter) {
        count += 1
        var template = letter.template
        var key = Key(stage: Name(letter.stage), code: Name(letter.code), template: Name(template))
        if groups[key] == nil, groups.count >= Self.most {
            template = "other messages"
            key.template = Name(template)
        }
        var group = groups[key] ?? Group(stage: letter.stage, code: letter.code, template: template)
        group.count += 1
        if group.examples.count < examples { group.examples.append(letter) }
        groups[key] = group
    }

    /// The groups, largest first.
    package var sorted: [Group] {
        groups.values.sorted { ($1.count, Name($0.stage), Name($0.code), Name($0.template)) < ($0.count, Name($1.stage), Name($1.code), Name($1.template)) }
    }
}

/// Reads files of lines, compressed or not.
package enum LineFile {
    /// Calls `body` with each nonempty line and its number.
    ///
    /// - Parameter path: the path of the file; `-` is standard input.
    /// - Throws: ``RunError`` if the file cannot be read to its end.
    package static func forEachLine(
        of path: String, _ body: (UnsafeBufferPointer<UInt8>, UInt64) throws(RunError) -> Void
    ) throws(RunError) {
        let reader: BatchReader
        do throws(InputError) {
            let input = try InputFiles.expand([path])[0]
            var configuration = BatchReader.Configuration(spillFolder: "")
            configuration.maxRecord = 1 << 30
            configuration.onDamage = .fail
            reader = try BatchReader(input, index: 0, configuration: configuration, buffers: BufferPool(capacity: Batch.targetBytes, most: 2))
        } catch {
            throw .input(error)
        }
        while let batch = try next(of: reader) {
            for frame in batch.frames where frame.count > 0 {
                let text = UnsafeBufferPointer(start: UnsafePointer(batch.bytes.start) + Int(frame.start), count: Int(frame.count))
                try body(text, batch.line + UInt64(frame.lineDelta))
            }
        }
    }

    private static func next(of reader: BatchReader) throws(RunError) -> Batch? {
        do throws(InputError) {
            return try reader.next()
        } catch {
            throw .input(error)
        }
    }
}

extension Value {
    fileprivate var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// No place and no count is larger than `Int.max`.
    fileprivate var number: UInt64? {
        if case .int(let value) = self { UInt64(exactly: value) } else { nil }
    }
}

private enum Base64 {
    /// `nil` if a character is not base64.
    static func bytes(of text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 where byte != UInt8(ascii: "=") {
            guard let digit = digits[byte] else { return nil }
            bits = bits << 6 | digit
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    private static let digits: [UInt8: UInt32] = Dictionary(
        uniqueKeysWithValues: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated().map { ($1, UInt32($0)) })
}
