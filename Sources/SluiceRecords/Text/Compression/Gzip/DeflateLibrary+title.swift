import CISAL
import CZlib

extension DeflateLibrary {
    /// The name and version: `ISA-L 2.30`, `zlib 1.2.13`. ISA-L cannot report its version at run
    /// time, so this is the version of the headers at build time.
    package var title: String {
        switch self {
        case .zlib: "zlib \(String(cString: zlibVersion()))"
        case .isal: "ISA-L \(String(cString: cisal_version()))"
        }
    }
}
