import SluiceCEL

/// Where an input is that is no file of this machine: `s3://bucket/key`, `hdfs://host/path`.
package enum Address {
    /// Whether the path is one: it begins with a scheme and `://`.
    package static func isAddress(_ path: String) -> Bool { scheme(of: path) != nil }

    private static func scheme(of path: String) -> Substring? {
        let end = path.utf8.firstIndex { byte in
            !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                && byte != UInt8(ascii: "+")
        }
        guard let end, end > path.startIndex, path.utf8[end...].starts(with: "://".utf8) else { return nil }
        return path[..<end]
    }

    /// Why the address must not be used: it has a user or a password, which would go into plans,
    /// reports and dead letters. Does not repeat it.
    static func refusal(of address: String) -> String? {
        guard let scheme = scheme(of: address) else { return nil }
        let authority = address.utf8.dropFirst(scheme.utf8.count + 3).prefix { $0 != NameBytes.slash }
        let user = authority.lastIndex(of: UInt8(ascii: "@")).map { authority[..<$0] }
        let port = authority.firstIndex(of: UInt8(ascii: ":")).map { authority[$0...].dropFirst() }
        // What is before the '@' is a container there.
        let isContainer = scheme.hasPrefix("abfs")
        let isPort = port.map { $0.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) } ?? true
        if isPort, user == nil || isContainer { return nil }
        return "an address with '\(scheme)://' has a user or a password in it, which would be written into plans, reports and dead letters"
    }

    static let refusalFix = "take it out, and set it in the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
}
