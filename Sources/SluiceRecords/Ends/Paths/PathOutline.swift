import Glibc

/// What is known of a sink's path before any record is read.
struct PathOutline {
    struct Refusal {
        var message: String
        var fix: String
    }

    /// The path up to the first expression.
    let beginning: String
    /// Whether the path has no expressions.
    let isWhole: Bool
    /// The path with a letter in place of each expression.
    private let outline: String

    init(_ pieces: [PathPiece]) {
        var beginning = ""
        var outline = ""
        var isWhole = true
        for piece in pieces {
            switch piece {
            case .text(let leaf):
                outline += leaf.text
                if isWhole { beginning += leaf.text }
            case .expression:
                outline += "x"
                isWhole = false
            }
        }
        (self.beginning, self.outline, self.isWhole) = (beginning, outline, isWhole)
    }

    fileprivate static let addressMessage = "outputs cannot be written to addresses, only to files"

    var refusal: Refusal? {
        if Address.isAddress(outline) { return Refusal(message: Self.addressMessage, fix: "write files, and copy them there") }
        if outline.utf8.contains(0) { return Refusal(message: "the path has a NUL character", fix: "remove it") }
        guard let name = outline.split(separator: "/", omittingEmptySubsequences: false).last, !name.isEmpty, name != ".", name != ".." else {
            return Refusal(message: "'file' does not name a file", fix: "end the path with a file name")
        }
        guard !isWhole else { return nil }
        let folder = beginning.lastIndex(of: "/").map { beginning[..<$0] } ?? ""
        if folder.allSatisfy({ $0 == "/" || $0 == "." }) {
            return Refusal(
                message: "the path must begin with a fixed folder, which its values cannot leave", fix: "write a folder before the first expression: out/{…}")
        }
        let rest = outline.dropFirst(folder.count)
        if rest.split(separator: "/").contains("..") {
            return Refusal(message: "the path leaves its folder after an expression", fix: "remove the '..'")
        }
        return nil
    }
}

/// Checks whether a file can be created at a path.
package struct OutputPlace {
    private let path: String
    private let isWhole: Bool

    /// - Parameter isWhole: whether the path is complete; if not, only its folder is checked.
    package init(_ path: String, isWhole: Bool = true) {
        self.path = path
        self.isWhole = isWhole
    }

    /// Why a file cannot be created, as far as can be told without trying.
    package var refusal: String? {
        if path.isEmpty { return "the path is empty" }
        if Address.isAddress(path) { return PathOutline.addressMessage }
        var status = stat()
        if isWhole, stat(path, &status) == 0 {
            switch status.st_mode & S_IFMT {
            case S_IFDIR: return "'\(path)' is a folder"
            case S_IFREG: break
            // A device or a pipe is written itself, and nothing is created beside it.
            default: return access(path, W_OK) == 0 ? nil : "no permission to write to '\(path)'"
            }
        }
        var folder = parent(of: path)
        while stat(folder, &status) != 0 {
            guard errno == ENOENT || errno == ENOTDIR, folder != ".", folder != "/" else { return "'\(folder)' cannot be read" }
            folder = parent(of: folder)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "'\(folder)' is a file, not a folder" }
        return access(folder, W_OK | X_OK) == 0 ? nil : "no permission to write in '\(folder)'"
    }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
