import Glibc

// Formats on one core: `make -s bench-formats ARGS='RECORDS.ndjson ACCESS.log'`, with text of `Benchmarks`' logs or any other.
// Prints MB of input a second, from the processor time of this thread: the best of seven rounds.

let files = CommandLine.arguments.dropFirst()
guard files.count == 2, let records = files.first, let log = files.last else {
    print("usage: bench-formats RECORDS.ndjson ACCESS.log")
    exit(2)
}
try benchJSON(TextBatches(path: records))
try benchAccessLog(TextBatches(path: log))
