/// Which lock guards a pool's state.
public enum LockChoice: Sendable, Hashable {
    /// Spins a little, then yields the processor, and finally waits in the kernel. The default, and
    /// right wherever threads may outnumber the cores.
    case parking

    /// Polls every 50 µs instead of waiting in the kernel. Only for pools whose submitters and
    /// workers together are fewer than the cores; see <doc:Costs> for measurements.
    case polling
}
