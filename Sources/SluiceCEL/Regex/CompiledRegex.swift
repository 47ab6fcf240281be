import CRE2

/// Owns one RE2 object.
///
/// Safe because the object is only created in `init` and freed in `deinit`, RE2's matching is const
/// and thread-safe, and every length passed to C comes with its own buffer.
final class CompiledRegex: Sendable {
    // RE2 guards its automaton cache with its own locks.
    private nonisolated(unsafe) let handle: OpaquePointer

    init(_ text: String) throws(PatternError) {
        var text = text
        var message = [CChar](repeating: 0, count: 256)
        let handle = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                cre2_new(characters.baseAddress, characters.count, Int64(Pattern.memoryLimit), &message, message.count)
            }
        }
        guard let handle else {
            let end = message.firstIndex(of: 0) ?? message.endIndex
            let reason = String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw PatternError(pattern: text, message: reason)
        }
        self.handle = handle
    }

    deinit { cre2_delete(handle) }

    func groupNames() -> [String?] {
        var names = [String?](repeating: nil, count: Int(cre2_group_count(handle)))
        withUnsafeMutablePointer(to: &names) { names in
            cre2_each_group_name(handle, names) { state, index, name, length in
                guard let state, let name else { return }
                let bytes = UnsafeRawBufferPointer(start: name, count: length)
                let names = state.assumingMemoryBound(to: [String?].self)
                names.pointee[Int(index) - 1] = String(decoding: bytes, as: UTF8.self)
            }
        }
        return names
    }

    func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        cre2_matches(handle, bytes.baseAddress, bytes.count)
    }

    func find(
        in bytes: UnsafeBufferPointer<UInt8>, from: Int, into captures: UnsafeMutableBufferPointer<Pattern.Capture>
    ) -> Bool {
        // A capture has the layout of the C span: two words, start and length.
        captures.withMemoryRebound(to: cre2_span.self) { spans in
            cre2_find(handle, bytes.baseAddress, bytes.count, from, spans.baseAddress, Int32(clamping: spans.count))
        }
    }
}
