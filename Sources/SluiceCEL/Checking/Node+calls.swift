extension Node {
    /// Formats of times that the expression reads or writes, where they are constants and no names.
    package var timeFormats: [(text: String, range: Range<Int>)] {
        var found: [(text: String, range: Range<Int>)] = []
        forEach { node in
            guard case .call(let call) = node.kind, ["parse_time", "format_time"].contains(call.name), call.arguments.count == 2 else { return }
            if case .constant(.string(let text)) = call.arguments[1].kind, !TimeFormat.names.contains(text) { found.append((text, call.arguments[1].range)) }
        }
        return found
    }

    /// Calls `body` with the node and all below it.
    package func forEach(_ body: (Node) -> Void) {
        body(self)
        for child in children { child.forEach(body) }
    }
}
