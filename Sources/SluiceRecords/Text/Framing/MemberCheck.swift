/// Reads an input to its end to find the members that fail their check, before any of their records
/// is delivered (``DamagePolicy/setAside``).
enum MemberCheck {
    private static let room = 256 << 10

    /// The indices of the members that are damaged or fail their check. Takes as long as
    /// decompressing the input.
    static func unsound(in text: any TextSource) -> Swift.Set<Int> {
        let buffer = ByteBuffer(capacity: room)
        var unsound: Swift.Set<Int> = []
        while true {
            switch text.read(into: buffer.start, room: room).event {
            case .end: return unsound
            // Damage to a header alone leaves the member's check intact.
            case .damage(let damage, let cutsText) where cutsText || damage.kind == .crc || damage.kind == .length: unsound.insert(damage.member)
            case .damage, .member, nil: break
            }
        }
    }
}
