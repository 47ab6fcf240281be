import Glibc
import SluiceCEL

extension InputFiles {
    /// A sentence on existing files near a pattern or path that matches nothing; `nil` if there are
    /// none.
    static func nearby(_ pattern: String) -> String? {
        let names = pattern.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var folder = names.first == "" ? "/" : ""
        for (index, name) in names.enumerated() where !name.isEmpty {
            guard let entries = entries(of: folder.isEmpty ? "." : folder) else { return nil }
            if index == names.count - 1 || NamePattern.isPattern(name) { return files(among: entries, in: folder, like: name) }
            guard let entry = entries.first(where: { $0.name.isSame(as: name) }), entry.isFolder else {
                let near = Spelling.nearest(to: name, among: entries.filter(\.isFolder).map(\.name))
                return "there is no folder '\(folder)\(name)'" + (near.map { "; did you mean '\(folder)\($0)'?" } ?? "")
            }
            folder += name + "/"
        }
        return nil
    }

    private struct Entry {
        var name: String
        var isFolder: Bool
    }

    private static func files(among entries: [Entry], in folder: String, like name: String) -> String? {
        let files = entries.filter { !$0.isFolder && !$0.name.hasPrefix(".") }.map(\.name).sorted()
        let place = folder.isEmpty ? "the current folder" : "'\(folder)'"
        guard let first = files.first else {
            return entries.contains(where: \.isFolder) ? "\(place) has only folders; '**' searches them: '\(folder)**/\(name)'" : "\(place) has no files"
        }
        if !NamePattern.isPattern(name), let near = Spelling.nearest(to: name, among: files) { return "did you mean '\(folder)\(near)'?" }
        // The most common extension.
        let endings = Dictionary(grouping: files.filter { $0.contains(".") }) { String($0[($0.firstIndex(of: ".") ?? $0.startIndex)...]) }
        let common = endings.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        let count = files.count == 1 ? "one file" : "\(files.count) files"
        guard let common, 2 * common.value.count >= files.count else { return "\(place) has \(count), such as '\(folder)\(first)'" }
        return "\(place) has \(count); '\(folder)*\(common.key)' matches " + (common.value.count == files.count ? "all" : "\(common.value.count)") + " of them"
    }

    /// The entries of a folder; `nil` if it cannot be read.
    private static func entries(of folder: String) -> [Entry]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var entries: [Entry] = []
        // Enough for a message.
        while entries.count < 10_000, let entry = readdir(stream) {
            guard let name = entry.name, name != ".", name != ".." else { continue }
            switch PathKind.of("\(folder)/\(name)") {
            case .folder: entries.append(Entry(name: name, isFolder: true))
            case .file(size: _?): entries.append(Entry(name: name, isFolder: false))
            // A pattern passes over pipes and devices.
            case .file(size: nil), .missing, .unreadable: continue
            }
        }
        return entries
    }
}
