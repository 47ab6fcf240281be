import Sluice
import SluiceCEL
import SluiceRecords

/// Writes the server errors of web access logs as JSON lines, a file for each day, with the owner
/// of the network that each came from.
///
///     swift run server-errors 'sampledata/access/*.log.gz'
@main
struct ServerErrors {
    static func main() async throws {
        let archives = Array(CommandLine.arguments.dropFirst())
        print(try await records(in: archives, asking: Registry(), to: "out").run())
    }

    /// Expressions pick and compute; a closure asks the registry, sixteen records at a time, each
    /// up to three times.
    static func records(in archives: [String], asking registry: Registry, to folder: String) -> Records {
        Records.reading(archives: archives, format: .combined)
            .named("server-errors")
            .keep("status >= 500")
            .set(["section": "path.split('/')[1]"])
            .update("owner", concurrency: 16, timeout: .seconds(5), retry: .times(2, backoff: .milliseconds(5))) { record in
                record["owner"] = .string(try await registry.owner(of: record["ip"]?.string ?? ""))
            }
            .select(["time", "status", "section", "owner"])
            .writing(to: "\(folder)/date={string(time).substring(0, 10)}/errors.jsonl.gz")
            .deadLetters(to: "\(folder)/dead-letter.jsonl.gz")
    }
}
