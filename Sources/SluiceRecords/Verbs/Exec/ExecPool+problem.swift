import Glibc

extension ExecPool {
    /// Why `command` cannot be started, determined without starting it; `nil` if no reason is
    /// found.
    ///
    /// Uses the same search as starting it: a name with a `/` is a path, relative to the current
    /// directory; any other is looked up in `PATH`.
    package static func problem(with command: [String]) -> String? {
        guard let name = command.first, !name.isEmpty else { return "there is no command" }
        if command.contains(where: { $0.utf8.contains(0) }) { return "a command cannot contain a NUL byte" }
        if name.contains("/") { return problem(withFile: name) }
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let isFound = folders.split(separator: ":").contains { problem(withFile: "\($0)/\(name)") == nil }
        return isFound ? nil : "'\(name)' is not in PATH"
    }

    private static func problem(withFile path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return "there is no file '\(path)'" }
        guard status.st_mode & S_IFMT == S_IFREG else { return "'\(path)' is not a file" }
        guard access(path, X_OK) == 0 else { return "'\(path)' is not executable (chmod +x)" }
        return nil
    }
}
