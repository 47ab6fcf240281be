import CISAL
import CZlib

extension DeflateLibrary {
    /// Its name and version: `ISA-L 2.30`, `zlib 1.2.13`. ISA-L tells none when the program runs,
    /// so its version is that of the headers it was built with.
    package var title: String {
        switch self {
        case .zlib: "zlib \(String(cString: zlibVersion()))"
        case .isal: "ISA-L \(String(cString: cisal_version()))"
        }
    }
}
