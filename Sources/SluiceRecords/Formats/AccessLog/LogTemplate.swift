import SluiceCEL

/// The parsed format of an access log, as a server defines it.
struct LogTemplate: Sendable {
    /// A variable of the format and the field that it becomes.
    struct Variable: Sendable {
        /// As written in the format: `$remote_addr`, `%h`.
        let written: String
        let field: String
        let kind: Kind
    }

    enum Kind: UInt8, Sendable {
        case text
        /// A request, usually of three words.
        case request
        case int
        /// An integer padded with blanks on the left.
        case paddedInt
        case double
        /// A number, or a list of numbers as text.
        case number
        /// `10/Oct/2025:13:55:36 +0200`, without the brackets.
        case time
        /// `2025-10-10T13:55:36+02:00`.
        case isoTime
        /// Seconds since 1970, with an optional fraction.
        case unixSeconds
        case unixMilliseconds, unixMicroseconds
    }

    enum Element: Sendable {
        case literal([UInt8])
        case variable(Variable)
    }

    /// Literals and variables alternate, and literals are not empty.
    private(set) var elements: [Element] = []
    let escapes: LogEscapes
    /// Whether `-` means that there is no value.
    let dashIsAbsent: Bool

    init(_ elements: [Element], escapes: LogEscapes, dashIsAbsent: Bool) throws(LogTemplateError) {
        self.escapes = escapes
        self.dashIsAbsent = dashIsAbsent
        for element in elements { try append(element) }
        guard elements.contains(where: { if case .variable = $0 { true } else { false } }) else {
            throw LogTemplateError("the definition has no variables, so it yields no fields")
        }
    }

    private mutating func append(_ element: Element) throws(LogTemplateError) {
        switch (elements.last, element) {
        case (_, .literal([])): return
        case (.literal(let before)?, .literal(let bytes)): elements[elements.count - 1] = .literal(before + bytes)
        case (.variable(let before)?, .variable(let variable)):
            throw LogTemplateError(
                "there is nothing between '\(before.written)' and '\(variable.written)' to tell where the first one ends",
                fix: "put a separator between them in the server's definition, or read the log with 'regex'")
        default: elements.append(element)
        }
    }

    /// The fields in the order of the format, each name once.
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

/// Why a format definition cannot be used.
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
