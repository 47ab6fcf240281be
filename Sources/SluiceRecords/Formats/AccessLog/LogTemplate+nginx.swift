extension LogTemplate {
    /// - Parameters:
    ///   - nginx: the format of a `log_format`, or the whole directive: `log_format main '…' '…';`.
    ///   - escape: `default`, `json` or `none`. A whole directive overrides it.
    init(nginx text: String, escape: String? = nil) throws(LogTemplateError) {
        let directive = NginxDirective(text)
        let escapes: LogEscapes =
            switch directive?.escape ?? escape ?? "default" {
            case "json": .json
            case "none": .none
            default: .server
            }
        let elements = try Self.nginxElements(Array((directive?.text ?? text).utf8))
        try self.init(elements, escapes: escapes, dashIsAbsent: escapes == .server)
    }

    private static func nginxElements(_ text: [UInt8]) throws(LogTemplateError) -> [Element] {
        var elements: [Element] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "$") else {
                elements.append(.literal([byte]))
                continue
            }
            let isBraced = rest.first == UInt8(ascii: "{")
            if isBraced { rest = rest.dropFirst() }
            let name = rest.prefix(while: isOfName)
            rest = rest.dropFirst(name.count)
            let isClosed = !isBraced || rest.popFirst() == UInt8(ascii: "}")
            guard !name.isEmpty, isClosed else {
                throw LogTemplateError("'$' without the name of a variable", fix: "write variables as $name or ${name}")
            }
            let text = String(decoding: name, as: UTF8.self)
            elements.append(.variable(Variable(written: "$" + text, field: text, kind: nginxKind(text))))
        }
        return elements
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func nginxKind(_ name: String) -> Kind {
        switch name {
        case "request": .request
        case "time_local": .time
        case "time_iso8601": .isoTime
        case "msec": .unixSeconds
        case "status", "body_bytes_sent", "bytes_sent", "bytes_received", "request_length", "connection", "connection_requests", "pid",
            "remote_port", "server_port", "proxy_protocol_port", "proxy_protocol_server_port", "connections_active", "connections_reading",
            "connections_writing", "connections_waiting", "tcpinfo_rtt", "tcpinfo_rttvar", "tcpinfo_snd_cwnd", "tcpinfo_rcv_space":
            .int
        case "request_time", "connection_time", "session_time", "gzip_ratio": .double
        // A list if several servers were asked (`0.001, 0.020`), or whatever the client sent.
        case "upstream_response_time", "upstream_connect_time", "upstream_header_time", "upstream_queue_time", "upstream_session_time",
            "upstream_first_byte_time", "upstream_status", "upstream_response_length", "upstream_bytes_sent", "upstream_bytes_received",
            "content_length":
            .number
        default: .text
        }
    }
}

/// `log_format NAME [escape=…] '…' '…';`
private struct NginxDirective {
    var escape: String?
    var text: String

    init?(_ directive: String) {
        let words = directive.split(whereSeparator: \.isWhitespace)
        guard words.first == "log_format", words.count > 2 else { return nil }
        let prefix = "escape="
        escape = words[2].hasPrefix(prefix) ? String(words[2].dropFirst(prefix.count)) : nil
        text = ""
        var quote: Character?
        var isEscaped = false
        for character in directive {
            switch quote {
            case nil where character == "'" || character == "\"": quote = character
            case nil: break
            case _ where isEscaped:
                text += character == quote || character == "\\" ? "" : "\\"
                text.append(character)
                isEscaped = false
            case _ where character == "\\": isEscaped = true
            case character?: quote = nil
            default: text.append(character)
            }
        }
    }
}
