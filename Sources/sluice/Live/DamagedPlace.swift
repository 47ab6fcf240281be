import SluiceRecords

/// A place where an input was damaged, as the page of a run that goes on and its status list it.
struct DamagedPlace: Encodable, Equatable {
    /// The input, or the file in it if that is an archive.
    var file: String
    var kind: String
    var offset: UInt64
    var member: Int
    var lostBytes: UInt64
    var lostText: UInt64

    /// The most characters of a path, as names in archives can have any length.
    private static let mostCharacters = 1_000

    init(_ place: DamageSoFar.Place) {
        let damage = place.damage
        file = String((damage.file ?? place.input).prefix(Self.mostCharacters))
        (kind, offset, member) = (damage.kind, damage.offset, damage.member)
        (lostBytes, lostText) = (damage.lostBytes, damage.lostText)
    }
}
