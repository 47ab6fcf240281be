/// The damaged places that a run has met so far: their number, and those that lost most.
package struct DamageSoFar: Sendable, Equatable {
    package struct Place: Sendable, Equatable {
        /// The path of the input.
        package var input: String
        package var damage: RunReport.DamageRecord
    }

    package private(set) var count = 0
    /// Those with the most bytes lost first; of the same loss in the order of the input.
    package private(set) var worst: [Place] = []

    /// However much is damaged, a page is told of it every second.
    package static let most = 100

    package init() {}

    /// - Parameter input: its path.
    package mutating func add(_ damage: Damage, of input: String) {
        count += 1
        func isLess(_ place: Place) -> Bool { (place.damage.lostBytes, place.damage.lostText) < (damage.lostBytes, damage.lostText) }
        if worst.count == Self.most, let last = worst.last, !isLess(last) { return }
        worst.insert(Place(input: input, damage: RunReport.DamageRecord(damage)), at: worst.firstIndex(where: isLess) ?? worst.endIndex)
        if worst.count > Self.most { worst.removeLast() }
    }
}
