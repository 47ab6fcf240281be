import SluiceCEL

/// What stands in a line of an access log: a server's definition of it, taken apart.
struct LogTemplate: Sendable {
    /// A variable of the definition and what it becomes.
    struct Variable: Sendable {
        /// As the definition has it: `$remote_addr`, `%h`.
        let written: String
        let field: String
        let kind: Kind
    }

    enum Kind: UInt8, Sendable {
        case text
        /// A request, which may be three words.
        case request
        case int
        /// With blanks before it.
        case paddedInt
        case double
        /// A number where it is one, text where it is a list of them.
        case number
        /// `10/Oct/2025:13:55:36 +0200`, without the brackets.
        case time
        /// `2025-10-10T13:55:36+02:00`.
        case isoTime
        /// Since 1970, with a fraction or without.
        case unixSeconds
        case unixMilliseconds, unixMicroseconds
    }

    enum Element: Sendable {
        case literal([UInt8])
        case variable(Variable)
    }

    /// Literals are not empty, and no two of a kind stand side by side.
    private(set) var elements: [Element] = []
    let escapes: LogEscapes
    /// Whether `-` stands for no value.
    let dashIsAbsent: Bool

    init(_ elements: [Element], escapes: LogEscapes, dashIsAbsent: Bool) throws(LogTemplateError) {
        self.escapes = escapes
        self.dashIsAbsent = dashIsAbsent
        for element in elements { try append(element) }
        guard elements.contains(where: { if case .variable = $0 { true } else { false } }) else {
            throw LogTemplateError("the definition names no variable, so it makes no field")
        }
    }

    private mutating func append(_ element: Element) throws(LogTemplateError) {
        switch (elements.last, element) {
        case (_, .literal([])): return
        case (.literal(let before)?, .literal(let bytes)): elements[elements.count - 1] = .literal(before + bytes)
        case (.variable(let before)?, .variable(let variable)):
            throw LogTemplateError(
                "nothing stands between '\(before.written)' and '\(variable.written)', so a line does not tell where one ends",
                fix: "put a separator between them in the server's definition, or read the log with 'regex'")
        default: elements.append(element)
        }
    }

    /// In the order of the definition, each name once.
    var fields: [Schema.Field] {
        var fields: [Schema.Field] = []
        for case .variable(let variable) in elements {
            for field in variable.fields where !fields.contains(where: { $0.name.isSame(as: field.name) }) { fields.append(field) }
        }
        return fields
    }
}

extension LogTemplate.Variable {
    static let requestParts: [AccessLogField] = [.method, .path, .protocol]

    var fields: [Schema.Field] {
        let type: CELType =
            switch kind {
            case .text, .request: .string
            case .int, .paddedInt: .int
            case .double: .double
            case .number: .dyn
            case .time, .isoTime, .unixSeconds, .unixMilliseconds, .unixMicroseconds: .timestamp
            }
        let own = Schema.Field(name: field, type: type)
        switch kind {
        case .request: return [own] + Self.requestParts.map(\.schemaField)
        case .time, .isoTime: return [own, AccessLogField.zone.schemaField]
        default: return [own]
        }
    }
}

/// Why a definition cannot be read.
struct LogTemplateError: Error {
    let message: String
    let fix: String?

    init(_ message: String, fix: String? = nil) {
        self.message = message
        self.fix = fix
    }
}

extension LogTemplate {
    /// Squid's native format.
    static let squid: LogTemplate = {
        func variable(_ written: String, _ field: String, _ kind: Kind = .text) -> Element {
            .variable(Variable(written: written, field: field, kind: kind))
        }
        func literal(_ text: String) -> Element { .literal(Array(text.utf8)) }
        let elements = [
            variable("%ts.%03tu", "time", .unixSeconds), literal(" "), variable("%6tr", "duration_ms", .paddedInt), literal(" "),
            variable("%>a", "ip"), literal(" "), variable("%Ss", "cache"), literal("/"), variable("%03>Hs", "status", .int), literal(" "),
            variable("%<st", "bytes", .int), literal(" "), variable("%rm", "method"), literal(" "), variable("%ru", "url"), literal(" "),
            variable("%un", "user"), literal(" "), variable("%Sh", "hierarchy"), literal("/"), variable("%<a", "peer"), literal(" "),
            variable("%mt", "content_type"),
        ]
        do throws(LogTemplateError) {
            return try LogTemplate(elements, escapes: .none, dashIsAbsent: true)
        } catch {
            preconditionFailure(error.message)
        }
    }()
}
