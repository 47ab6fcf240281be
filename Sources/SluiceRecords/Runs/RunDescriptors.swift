import Glibc

/// The files that a command may open.
package enum RunDescriptors {
    /// What a run of a single input and output needs at least, beside the standard streams.
    private static let needed = 20

    /// Checks that the system allows the descriptors of a small run. To be called before anything
    /// is awaited: Swift's own pool ends the process if it gets none.
    package static func check() throws(RunError) {
        var opened: [Int32] = []
        defer { for descriptor in opened { close(descriptor) } }
        while opened.count < needed {
            let descriptor = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else {
                guard errno == EMFILE || errno == ENFILE else { return }
                throw .descriptors(allowed: opened.count, needed: needed)
            }
            opened.append(descriptor)
        }
    }
}
