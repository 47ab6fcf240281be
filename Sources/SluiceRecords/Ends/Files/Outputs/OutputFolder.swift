import Glibc
import SluiceCEL

/// A folder that outputs are in.
///
/// Its path begins with the folder that the definition names, which is reached as the system does,
/// through links. The names below come from records, and no link is followed there: each folder is
/// opened in the one before it, so that nothing is written elsewhere, whenever a link appears.
struct OutputFolder: Sendable, Equatable {
    let path: String
    /// The folder that the definition names.
    let fixed: String
    /// The names of the folders below it.
    private let below: [String]
    let isConfined: Bool

    /// - Parameter fixed: the folder that is reached through links; `nil` for the whole path.
    init(_ path: String, within fixed: String? = nil) {
        self.path = path
        self.fixed = fixed ?? path
        isConfined = fixed != nil
        below = fixed.map { Array(Self.names(path).dropFirst(Self.names($0).count)) } ?? []
    }

    /// The folder of an output.
    init(of output: String, within fixed: String? = nil) {
        self.init(OutputFolders.folder(of: output), within: fixed)
    }

    /// The part of the path that is a parameter of `init`.
    var within: String? { isConfined ? fixed : nil }

    private static func names(_ path: String) -> [String] {
        path.utf8.split(separator: NameBytes.slash).map { String(Substring($0)) }.filter { !$0.isSame(as: ".") }
    }

    /// The folders below the fixed one, and this one, outermost first.
    var steps: [OutputFolder] {
        var path = fixed
        return below.map { name in
            path += path.hasSuffix("/") ? name : "/" + name
            return OutputFolder(path, within: within)
        }
    }

    /// The folder that contains this one, and the name there.
    var place: (folder: OutputFolder, name: String) {
        (OutputFolder(OutputFolders.folder(of: path), within: below.isEmpty ? nil : within), NameBytes.lastName(of: path))
    }

    func opened() throws(OutputError) -> OpenFolder {
        guard var folder = OpenFolder.at(fixed) else { throw .failed(path, "cannot be opened", errno) }
        for (index, name) in below.enumerated() {
            // The names that values get are never this one.
            guard !name.isSame(as: ".."), let next = folder.folder(name) else {
                let reason = errno
                if case .link = folder.kind(of: name) { throw .failed(path: path, reason: steps[index].isLink) }
                throw .failed(path, "cannot be opened", reason)
            }
            folder = next
        }
        return folder
    }

    /// What is wrong with a folder that is a link.
    private var isLink: String { "'\(path)' is a link, and links below '\(fixed)' are not followed" }

    /// Why the folder cannot be reached, if that is because of a link.
    var linkRefusal: String? {
        guard var folder = OpenFolder.at(fixed) else { return nil }
        for (index, name) in below.enumerated() {
            guard let next = folder.folder(name) else {
                guard case .link = folder.kind(of: name) else { return nil }
                return steps[index].isLink
            }
            folder = next
        }
        return nil
    }

    /// Removes the folder if it is empty.
    func remove() {
        do throws(OutputError) {
            let (folder, name) = place
            try folder.opened().removeFolder(name)
        } catch {
            // It is gone, or a link that leads elsewhere.
        }
    }
}
