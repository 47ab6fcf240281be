import FoundationEssentials
import SluiceDashboard
import SluiceRecords

/// The server of `--dashboard`, from before a run until after its end.
struct Dashboard {
    private let server: DashboardServer
    private let live: LiveRun

    /// Says where it is on standard error.
    ///
    /// - Parameter drain: ends the run early.
    /// - Returns: `nil` if none is wanted.
    static func begin(_ options: DashboardOptions, _ run: RecordRun, drain: @escaping @Sendable () -> Void) async throws -> Dashboard? {
        guard let address = options.address else { return nil }
        let live = LiveRun(run, drain: drain)
        let token = try options.token
        do throws(DashboardServer.Failure) {
            let name = String(UInt64(Date().timeIntervalSince1970 * 1e6), radix: 36)
            let server = try await DashboardServer.start(at: address, token: token, run: name, content: live)
            Log.notice("dashboard: \(server.url)")
            if !address.isLoopback {
                Log.warning("other machines can reach it, without encryption: whoever has the address can drain and resize the run")
            }
            return Dashboard(server: server, live: live)
        } catch {
            Log.error("\(error)")
            throw ExitStatus.wrong
        }
    }

    /// Shows viewers that something has changed, before it is time.
    func refresh() { server.refresh() }

    /// Shows viewers how the run has ended.
    func end(_ report: RunReport, state: String, _ status: ExitStatus) {
        live.end(report, state: state, status)
        server.end()
    }

    /// Waits for viewers to take that in, for two seconds at most.
    func close() async { await server.close() }
}
