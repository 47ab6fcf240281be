import SluiceCEL
import Testing

@testable import SluiceRecords

/// The options of a format, as written in a definition.
enum CSVOptions {
    private static let place = TextPlace(TextPosition(line: 1, column: 1))

    static func text(_ text: String) -> Argument { .leaf(Leaf(text)) }
    static func texts(_ texts: [String]) -> Argument { .list(texts.map { .leaf(Leaf($0)) }, place) }
    static func flag(_ value: Bool) -> Argument { .flag(value, place) }
    static func entries(_ pairs: KeyValuePairs<String, String>) -> Argument {
        .entries(pairs.map { (Leaf($0.key), .leaf(Leaf($0.value))) }, place)
    }
}

extension CSV {
    /// The format with these options; fails the test if they are invalid.
    static func with(_ options: [String: Argument]) throws -> CSV {
        var checking = Checking(label: "csv")
        let format = CSV(Arguments(options), &checking)
        #expect(checking.diagnostics.isEmpty)
        return try #require(format)
    }

    /// The reading state of a file with this header.
    func headed(by head: String) -> any Format { completed(by: FileHead(Array(head.utf8))) }
}
