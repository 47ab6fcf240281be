import Glibc

// Measures formats on one core:
//
//     make -s bench-formats ARGS='RECORDS.ndjson ACCESS.log'
//
// Prints MB of input per second, by the processor time of this thread: the best of seven rounds.

let files = CommandLine.arguments.dropFirst()
guard files.count == 2, let records = files.first, let log = files.last else {
    print("usage: bench-formats RECORDS.ndjson ACCESS.log")
    exit(2)
}
try benchJSON(TextBatches(path: records))
try benchAccessLog(TextBatches(path: log))
