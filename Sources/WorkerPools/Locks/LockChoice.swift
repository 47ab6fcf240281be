/// Which lock guards a pool's state.
public enum LockChoice: Sendable, Hashable {
    /// `Synchronization.Mutex`: waits in the kernel. The default, and right wherever threads may
    /// outnumber the cores.
    case mutex

    /// Spins a little, then yields the processor, and finally polls every 50 µs. Only for pools
    /// whose submitters and workers together are fewer than the cores; see <doc:Costs> for
    /// measurements.
    case spinning
}
