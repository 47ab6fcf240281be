/// A stage's line of the ledger: `in + added = out + filtered + dropped + dead + absorbed`.
public struct StageCounts: Sendable, Hashable {
    public var `in` = 0
    public var out = 0
    /// Left out on purpose.
    public var filtered = 0
    /// Failed and left out, as the stage's policy says.
    public var dropped = 0
    /// Failed and sent to the dead letters.
    public var dead = 0
    /// The surplus where one element became several.
    public var added = 0
    /// The surplus where several elements became one.
    public var absorbed = 0

    public init(
        in received: Int = 0, out: Int = 0, filtered: Int = 0, dropped: Int = 0, dead: Int = 0, added: Int = 0,
        absorbed: Int = 0
    ) {
        self.in = received
        self.out = out
        self.filtered = filtered
        self.dropped = dropped
        self.dead = dead
        self.added = added
        self.absorbed = absorbed
    }

    /// Elements that went in and are not accounted for: they are still inside, or were given up
    /// when the run stopped.
    public var open: Int { `in` + added - out - filtered - dropped - dead - absorbed }

    public static func += (sum: inout StageCounts, more: StageCounts) {
        sum.in += more.in
        sum.out += more.out
        sum.filtered += more.filtered
        sum.dropped += more.dropped
        sum.dead += more.dead
        sum.added += more.added
        sum.absorbed += more.absorbed
    }
}
