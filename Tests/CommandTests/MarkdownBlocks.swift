/// A Markdown document split at its fenced blocks.
struct MarkdownBlocks {
    struct Block {
        var language: String
        var text: String
        /// The text between the previous block and this one, including its opening fence.
        var before: String
    }

    var blocks: [Block] = []
    private var rest = ""

    init(_ document: String) throws {
        var before = ""
        var current: Block?
        for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                if let block = current {
                    blocks.append(block)
                    (current, before) = (nil, "\(line)\n")
                } else {
                    current = Block(language: String(line.dropFirst(3)), text: "", before: before + "\(line)\n")
                }
            } else if current != nil {
                current?.text += "\(line)\n"
            } else {
                before += "\(line)\n"
            }
        }
        rest = String(before.dropLast())
    }

    /// The text between a block and the next one, up to a heading.
    func text(after index: Int) -> String {
        let text = index + 1 < blocks.count ? blocks[index + 1].before : rest
        return text.split(separator: "\n").prefix { !$0.hasPrefix("#") }.joined(separator: "\n")
    }

    var text: String { blocks.map { $0.before + $0.text }.joined() + rest }
}

extension CommandUnderTest {
    /// Each `$ command` line of a shell block, followed by what the command prints to standard
    /// output and standard error.
    func transcript(of block: String) throws -> String {
        var text = ""
        for line in block.split(separator: "\n") where line.hasPrefix("$ ") {
            text += "\(line)\n" + (try shell("{ \(line.dropFirst(2)); } 2>&1").output)
        }
        return text
    }
}
