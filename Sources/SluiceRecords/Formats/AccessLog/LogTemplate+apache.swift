extension LogTemplate {
    /// - Parameter apache: the format of a `LogFormat`, in which quotes may be escaped, or the
    ///   whole directive: `LogFormat "…" name`.
    init(apache text: String) throws(LogTemplateError) {
        var reading = ApacheReading(text)
        try self.init(try reading.elements(), escapes: .server, dashIsAbsent: true)
    }
}

private struct ApacheReading {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) {
        rest = Self.definition(text)[...]
    }

    /// The format without the directive's name, its quotes and the name of the format; escapes of
    /// the configuration file are decoded.
    private static func definition(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8)[...]
        let directive = Array("LogFormat".utf8)
        let isDirective = bytes.starts(with: directive)
        if isDirective { bytes = bytes.dropFirst(directive.count).drop { $0 == 0x20 || $0 == 0x09 }.dropFirst() }
        var plain: [UInt8] = []
        while let byte = bytes.popFirst() {
            if isDirective, byte == UInt8(ascii: "\"") { break }
            guard byte == UInt8(ascii: "\\"), let next = bytes.first else {
                plain.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): plain.append(next)
            default: plain += [byte, next]
            }
            bytes = bytes.dropFirst()
        }
        return plain
    }

    mutating func elements() throws(LogTemplateError) -> [LogTemplate.Element] {
        var elements: [LogTemplate.Element] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                elements.append(.literal([byte]))
                continue
            }
            if rest.first == UInt8(ascii: "%") {
                elements.append(.literal([byte]))
                rest = rest.dropFirst()
            } else {
                elements += try directive()
            }
        }
        return elements
    }

    private mutating func directive() throws(LogTemplateError) -> [LogTemplate.Element] {
        let start = rest
        func isCondition(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "!"), UInt8(ascii: ","), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: false
            }
        }
        rest = rest.drop(while: isCondition)
        var argument: String?
        if rest.first == UInt8(ascii: "{") {
            let text = rest.dropFirst().prefix { $0 != UInt8(ascii: "}") }
            argument = String(decoding: text, as: UTF8.self)
            rest = rest.dropFirst(text.count + 1)
            guard rest.popFirst() != nil else { throw LogTemplateError("a '{' is not closed") }
            rest = rest.drop(while: isCondition)
        }
        var letters = String(decoding: rest.prefix(1), as: UTF8.self)
        if letters == "^" { letters = String(decoding: rest.prefix(3), as: UTF8.self) }
        rest = rest.dropFirst(letters.utf8.count)
        let written = "%" + String(decoding: start.prefix(rest.startIndex - start.startIndex), as: UTF8.self)
        let known = Self.kind(letters, argument)
        guard let (field, kind) = known else {
            throw LogTemplateError("'\(written)' is not a directive of Apache", fix: "https://httpd.apache.org/docs/current/mod/mod_log_config.html")
        }
        let variable = LogTemplate.Element.variable(LogTemplate.Variable(written: written, field: field, kind: kind))
        // Apache writes the brackets itself.
        return kind == .time ? [.literal([UInt8(ascii: "[")]), variable, .literal([UInt8(ascii: "]")])] : [variable]
    }

    private static func kind(_ letters: String, _ argument: String?) -> (field: String, kind: LogTemplate.Kind)? {
        switch (letters, argument) {
        case ("a", "c"): ("peer_ip", .text)
        case ("a", _): ("client_ip", .text)
        case ("A", _): ("local_ip", .text)
        case ("b", _), ("B", _): (AccessLogField.bytes.name, .int)
        case ("D", _), ("T", "us"): ("duration_us", .int)
        case ("T", "ms"): ("duration_ms", .int)
        case ("T", _): ("duration_s", .int)
        case ("f", _): ("filename", .text)
        case ("h", _): (AccessLogField.ip.name, .text)
        case ("H", _): (AccessLogField.protocol.name, .text)
        case ("I", _): ("bytes_received", .int)
        case ("k", _): ("keepalive_requests", .int)
        case ("l", _): (AccessLogField.ident.name, .text)
        case ("L", _): ("log_id", .text)
        case ("m", _): (AccessLogField.method.name, .text)
        case ("O", _): ("bytes_sent", .int)
        case ("p", "remote"): ("remote_port", .int)
        case ("p", "local"): ("local_port", .int)
        case ("p", _): ("port", .int)
        case ("P", "tid"): ("tid", .int)
        case ("P", "hextid"): ("tid", .text)
        case ("P", _): ("pid", .int)
        case ("q", _): ("query", .text)
        case ("r", _): (AccessLogField.request.name, .request)
        case ("R", _): ("handler", .text)
        case ("s", _): (AccessLogField.status.name, .int)
        case ("S", _): ("bytes_total", .int)
        case ("t", nil): (AccessLogField.time.name, .time)
        case ("t", let format?): time(format)
        case ("u", _): (AccessLogField.user.name, .text)
        case ("U", _): ("url_path", .text)
        case ("v", _): (AccessLogField.vhost.name, .text)
        case ("V", _): ("server_name", .text)
        case ("X", _): ("connection_status", .text)
        case ("^FB", _): ("first_byte_us", .int)
        case ("i", let name?): header(name)
        case ("o", let name?): (named("sent_http_", name), .text)
        case ("C", let name?): (named("cookie_", name), .text)
        case ("e", let name?): (named("env_", name), .text)
        case ("n", let name?): (named("note_", name), .text)
        case ("^ti", let name?): (named("trailer_", name), .text)
        case ("^to", let name?): (named("sent_trailer_", name), .text)
        default: nil
        }
    }

    private static func header(_ name: String) -> (String, LogTemplate.Kind) {
        switch name.lowercased() {
        case "referer": (AccessLogField.referer.name, .text)
        case "user-agent": (AccessLogField.agent.name, .text)
        default: (named("http_", name), .text)
        }
    }

    private static func time(_ format: String) -> (String, LogTemplate.Kind) {
        switch format.replacing("begin:", with: "").replacing("end:", with: "") {
        case "sec": (AccessLogField.time.name, .unixSeconds)
        case "msec": (AccessLogField.time.name, .unixMilliseconds)
        case "usec": (AccessLogField.time.name, .unixMicroseconds)
        default: ("time_text", .text)
        }
    }

    /// The name in lower case, with characters that a field name cannot have replaced by `_`.
    private static func named(_ prefix: String, _ name: String) -> String {
        prefix
            + String(
                decoding: name.lowercased().utf8.map { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
                    default: UInt8(ascii: "_")
                    }
                }, as: UTF8.self)
    }
}
