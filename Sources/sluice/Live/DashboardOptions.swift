import ArgumentParser
import FoundationEssentials
import SluiceDashboard

/// `--dashboard`: a page of the run while it goes on.
struct DashboardOptions: ParsableArguments {
    /// The variable that chooses the token, for programs that ask again and again.
    static let tokenVariable = "SLUICE_DASHBOARD_TOKEN"

    /// What is given as the address. It is read later: the parser would take a value that cannot be
    /// read for none, and drop it.
    struct Value: ExpressibleByArgument, CustomStringConvertible {
        var description: String

        init(_ text: String) { description = text }
        init?(argument: String) { description = argument }
    }

    @Option(
        defaultAsFlag: Value("\(DashboardAddress.standard)"),
        help: ArgumentHelp(
            "Serve a page of the run while it goes on, and print its address. (default: this machine alone, a free port)", valueName: "host:port"))
    var dashboard: Value?

    /// `nil` if none is wanted.
    var address: DashboardAddress? { dashboard.flatMap { DashboardAddress($0.description) } }

    func validate() throws {
        guard let dashboard else { return }
        guard address != nil else {
            throw ValidationError(
                "'--dashboard' takes HOST:PORT, such as 127.0.0.1:9200, not '\(dashboard)'. Without an address, write it after the pipeline file.")
        }
        _ = try token
    }

    /// The one of the environment, or a random one.
    var token: DashboardToken {
        get throws {
            guard let text = ProcessInfo.processInfo.environment[Self.tokenVariable], !text.isEmpty else { return DashboardToken() }
            guard let token = DashboardToken(text) else {
                throw ValidationError(
                    "\(Self.tokenVariable) needs \(DashboardToken.shortest) to 256 letters, digits, '-', '.', '_' or '~'; without it, the token is random.")
            }
            return token
        }
    }
}
