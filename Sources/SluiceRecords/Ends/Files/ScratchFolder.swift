import Glibc

/// A folder for a command's temporary files, below `TMPDIR` or else in `/tmp`: nobody can know its
/// name before it exists.
package struct ScratchFolder: Sendable {
    /// Its path. It is created when something is first stored there.
    package let path: String

    /// - Parameters:
    ///   - command: a word for its name.
    ///   - parent: the folder that it is in, unless `TMPDIR` names one.
    package init(of command: String, in parent: String = "/tmp") {
        let named = Environment.value("TMPDIR").flatMap { $0.isEmpty ? nil : $0 }
        path = "\(named ?? parent)/sluice-\(command)-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    }

    /// Removes it with its contents, if it exists. Links are not followed.
    package func remove() { Self.remove(path) }

    private static func remove(_ folder: String) {
        if let stream = opendir(folder) {
            var names: [String] = []
            while let entry = readdir(stream) {
                if let name = entry.name, name != ".", name != ".." { names.append(name) }
            }
            closedir(stream)
            for name in names where unlink("\(folder)/\(name)") != 0 { remove("\(folder)/\(name)") }
        }
        rmdir(folder)
    }
}
