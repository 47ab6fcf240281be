import Foundation

/// A library of `Tests/Trouble` that gets in a command's way, to be loaded with `LD_PRELOAD`.
enum TroubleLibrary {
    /// Compiles `Tests/Trouble/NAME.c`.
    ///
    /// - Returns: the path of the library, in a folder that stays.
    static func build(_ name: String) throws -> String {
        let command = try CommandUnderTest()
        let source = CommandUnderTest.root.appending(path: "Tests/Trouble/\(name).c").path
        let target = command.folder.appending(path: "\(name).so").path
        let result = try command.shell("clang -shared -fPIC -O1 -o '\(target)' '\(source)' -ldl || cc -shared -fPIC -O1 -o '\(target)' '\(source)' -ldl")
        guard result.status == 0 else { throw CocoaError(.executableLoad, userInfo: ["why": result.error]) }
        return target
    }
}
