/// How many jobs of a stage run at once.
///
/// An integer literal will do: `.map("parse", concurrency: 4) { … }`.
public struct Concurrency: Sendable, Hashable, ExpressibleByIntegerLiteral {
    public let range: ClosedRange<Int>

    /// Always the same number.
    public static func exactly(_ count: Int) -> Concurrency { Concurrency(count...count) }

    /// Grows while many elements wait for the stage and shrinks while none does.
    public static func within(_ range: ClosedRange<Int>) -> Concurrency { Concurrency(range) }

    public init(integerLiteral count: Int) { self.init(count...count) }

    private init(_ range: ClosedRange<Int>) {
        precondition(range.lowerBound > 0, "a stage needs at least one worker, not \(range.lowerBound)")
        self.range = range
    }
}
