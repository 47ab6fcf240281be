/// Where the source had an element.
public struct Place: Sendable, Hashable, Comparable {
    /// Which part of the source, from 0.
    public var part: Int
    /// Which element of the part, from 0.
    public var index: Int

    public init(part: Int, index: Int) {
        self.part = part
        self.index = index
    }

    public static func < (left: Place, right: Place) -> Bool {
        (left.part, left.index) < (right.part, right.index)
    }
}
