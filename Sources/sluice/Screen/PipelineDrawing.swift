import SluiceRecords

/// A pipeline as a graph, from left to right.
struct PipelineDrawing {
    private enum Shape {
        case end, stage, choice
    }

    private struct Node {
        var title: String
        var subtitle: String
        var shape: Shape
        var before: Int?
    }

    private var nodes: [Node] = []
    private let name: String

    init(_ pipeline: RecordPipeline) {
        name = pipeline.name
        for (index, place) in PipelineOutline(pipeline, threads: 1).places.enumerated() {
            var node = Node(title: place.name, subtitle: place.verb, shape: .stage, before: place.before)
            switch place.kind {
            case .source:
                let inputs = pipeline.source.inputs
                let first = inputs.first.map { $0.isStandardInput ? "standard input" : $0.path } ?? "no inputs"
                node = Node(
                    title: first + (inputs.count > 1 ? " and \(inputs.count - 1) more" : ""), subtitle: place.verb, shape: .end, before: nil)
            case .sink(let settings):
                let path = settings.sink.path.text
                node = Node(title: path == "-" ? "standard output" : path, subtitle: settings.format.name, shape: .end, before: place.before)
            case .routes: node.shape = .choice
            case .each, .ordered, .closing: break
            }
            if node.subtitle == node.title { node.subtitle = "" }
            precondition(node.before.map { $0 < index } ?? true, "a place comes after the one before it")
            nodes.append(node)
        }
    }

    var mermaid: String {
        var text = "flowchart LR\n"
        for (index, node) in nodes.enumerated() {
            let label = Self.escaped(node.title, Self.mermaidSigns) + (node.subtitle.isEmpty ? "" : "<br/>\(Self.escaped(node.subtitle, Self.mermaidSigns))")
            let (open, close) =
                switch node.shape {
                case .end: ("([", "])")
                case .stage: ("[", "]")
                case .choice: ("{", "}")
                }
            text += "  n\(index)\(open)\"\(label)\"\(close)\n"
        }
        for (index, node) in nodes.enumerated() {
            if let before = node.before { text += "  n\(before) --> n\(index)\n" }
        }
        return text
    }

    var dot: String {
        var text = "digraph \"\(Self.escaped(name, Self.dotSigns))\" {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n"
        for (index, node) in nodes.enumerated() {
            let label = Self.escaped(node.title, Self.dotSigns) + (node.subtitle.isEmpty ? "" : "\\n\(Self.escaped(node.subtitle, Self.dotSigns))")
            let shape =
                switch node.shape {
                case .end: "cylinder"
                case .stage: "box"
                case .choice: "diamond"
                }
            text += "  n\(index) [label=\"\(label)\", shape=\(shape)];\n"
        }
        for (index, node) in nodes.enumerated() {
            if let before = node.before { text += "  n\(before) -> n\(index);\n" }
        }
        return text + "}\n"
    }

    private static let mermaidSigns: [Character: String] = ["\"": "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "&": "#amp;", "\n": " ", "\r": " "]
    private static let dotSigns: [Character: String] = ["\"": "\\\"", "\\": "\\\\", "\n": " ", "\r": " "]
    private static let svgSigns: [Character: String] = ["<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;"]

    private static func escaped(_ text: String, _ signs: [Character: String]) -> String {
        text.map { signs[$0] ?? String($0) }.joined()
    }
}

extension PipelineDrawing {
    private static let box = (width: 190, height: 48)
    private static let gap = (across: 40, down: 20)

    /// Each node is in the column of its distance from the source; the first successor of a node is
    /// in the same row.
    var svg: String {
        var columns: [Int] = []
        var rows: [Int] = []
        var nextRow = 0
        for (index, node) in nodes.enumerated() {
            columns.append(node.before.map { columns[$0] + 1 } ?? 0)
            let isFirstAfter = node.before.map { before in !nodes[..<index].contains { $0.before == before } } ?? false
            if let before = node.before, isFirstAfter {
                rows.append(rows[before])
            } else {
                rows.append(nextRow)
            }
            nextRow = max(nextRow, (rows.max() ?? 0) + 1)
        }
        let width = ((columns.max() ?? 0) + 1) * (Self.box.width + Self.gap.across) + Self.gap.across
        let height = nextRow * (Self.box.height + Self.gap.down) + Self.gap.down
        func left(_ index: Int) -> Int { Self.gap.across + columns[index] * (Self.box.width + Self.gap.across) }
        func top(_ index: Int) -> Int { Self.gap.down + rows[index] * (Self.box.height + Self.gap.down) }
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" font-family="sans-serif" font-size="12">
            <title>\(Self.escaped(name, Self.svgSigns))</title>
            <defs><marker id="arrow" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>
            <rect width="\(width)" height="\(height)" fill="white"/>

            """
        for (index, node) in nodes.enumerated() {
            guard let before = node.before else { continue }
            let from = (left(before) + Self.box.width, top(before) + Self.box.height / 2)
            let to = (left(index), top(index) + Self.box.height / 2)
            let bend = to.0 - Self.gap.across / 2
            text += "<path d=\"M\(from.0),\(from.1) H\(bend) V\(to.1) H\(to.0)\" fill=\"none\" stroke=\"black\" marker-end=\"url(#arrow)\"/>\n"
        }
        for (index, node) in nodes.enumerated() {
            let radius = node.shape == .end ? Self.box.height / 2 : node.shape == .choice ? 12 : 4
            let middle = (left(index) + Self.box.width / 2, top(index) + Self.box.height / 2)
            text +=
                "<rect x=\"\(left(index))\" y=\"\(top(index))\" width=\"\(Self.box.width)\" height=\"\(Self.box.height)\" rx=\"\(radius)\" fill=\"white\" stroke=\"black\"/>\n"
            text += Self.line(node.title, at: (middle.0, middle.1 + (node.subtitle.isEmpty ? 4 : -3)), isBold: true)
            if !node.subtitle.isEmpty { text += Self.line(node.subtitle, at: (middle.0, middle.1 + 14), isBold: false) }
        }
        return text + "</svg>\n"
    }

    private static func line(_ text: String, at place: (Int, Int), isBold: Bool) -> String {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        let shown = escaped(Figures.shortened(text, to: 26), svgSigns)
        return "<text x=\"\(place.0)\" y=\"\(place.1)\" text-anchor=\"middle\"\(weight)>\(shown)</text>\n"
    }
}
