import Testing

@testable import SluiceRecords

@Suite("The time between checkpoints")
struct CheckpointPauseTests {
    @Test(
        "is a hundred times what one takes, but more than half a minute only where that is less than twenty times",
        arguments: [(10, 1_000), (300, 30_000), (301, 30_000), (1_500, 30_000), (1_501, 30_020), (4_000, 80_000)])
    func pause(taken: Int, pause: Int) {
        #expect(Checkpointing.pause(after: .milliseconds(taken)) == .milliseconds(pause))
    }
}
