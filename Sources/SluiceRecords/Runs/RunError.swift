import Glibc
import Sluice

/// Why a run could not be completed. Nothing was published, except as ``unpublished(_:)`` says.
package enum RunError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A record failed in a stage with `on_error: stop`.
    case stopped(stage: String, code: String, message: String, file: String, line: UInt64)
    case tooManyDeadLetters(count: Int, read: Int, limit: String)
    /// Every record failed.
    case allDead(count: Int)
    case input(InputError)
    case output(OutputError)
    /// The run has ended, but its outputs could not be renamed into place. The next run tries
    /// again.
    case unpublished(PublishingFailure)
    /// The outputs of an earlier run, which has ended, still can't be renamed into place.
    case unpublishedBefore(PublishingFailure)
    /// Another run uses the state folder.
    case busy(state: String, process: Int32?)
    /// The state folder contains an unfinished run that this one cannot resume.
    case unfinished(reason: String)
    /// Two files of the run are the same.
    case files(FileConflict)
    /// The closure that takes the records failed.
    case closure(String)
    /// The types of fields cannot be inferred.
    case types(String)
    /// The system refuses threads.
    case threads(allowed: Int, needed: Int)
    /// The system refuses to open as many files as a command needs at once.
    case descriptors(allowed: Int, needed: Int)
    /// A stage cannot spill what exceeds its memory.
    case room(folder: String, reason: String)
    /// A plan or the results of its tasks cannot be used: at all, or now and on this machine.
    case plan(String, mayPass: Bool = false)
    /// An input or a table of a plan is no longer as it was, which the text says.
    case outdatedPlan(String)
    /// The report cannot be written or read.
    case report(path: String, reason: String)
    /// The books do not balance, or something failed that cannot fail: a bug in Sluice.
    case fault(String)

    /// What may refuse threads: their number, or the memory for their stacks.
    private static var limitsOfThreads: String {
        var limit = rlimit()
        let isLimited = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 && limit.rlim_cur != ~0
        return isLimited ? "ulimit -v, since they need memory, ulimit -u, or pids.max of the control group" : "ulimit -u, or pids.max of the control group"
    }

    package var description: String {
        switch self {
        case .stopped(let stage, let code, let message, let file, let line):
            "stage '\(stage)' stopped the run at \(file):\(line): \(message) (\(code)); on_error: dead_letter would make such records dead letters"
        case .tooManyDeadLetters(let count, let read, let limit):
            "\(count) of \(read) records \(count == 1 ? "is a dead letter" : "are dead letters"), more than limits.dead_letters allows (\(limit))"
        case .allDead(let count):
            "\(count == 1 ? "the only record" : "all \(count) records") failed, so nothing is published; 'limits: {dead_letters: none}' publishes anyway"
        case .types(let reason), .plan(let reason, _): reason
        case .outdatedPlan: "\(cause); make a new one ('sluice plan'), in another folder"
        case .input(.damaged(let path, let damage)):
            "\(InputError.damaged(path: path, damage)); on_damage: salvage reads the rest"
        case .input(let error): error.description
        case .output(let error): error.description
        case .unpublished(let failure):
            "\(failure.text), and all are complete: once that is repaired, the same command publishes "
                + "\(failure.done == 0 ? "them" : "the rest") (--restart discards \(failure.done == 0 ? "them" : "it"))"
        case .unpublishedBefore(let failure) where failure.isLost:
            "the outputs of an earlier run were not published, and now cannot be: \(failure.text); --restart discards the rest and starts over"
        case .unpublishedBefore(let failure):
            "the outputs of an earlier run cannot be published: \(failure.text); repair that and run again, or use --restart to discard the rest and start over"
        case .busy(let state, let process):
            "another run\(process.map { " (process \($0))" } ?? "") is using the state folder '\(state)'; wait for it to finish, or use another folder (--state)"
        case .unfinished(let reason):
            "the unfinished run in the state folder cannot be resumed: \(reason); --restart discards it and starts over"
        case .files(let conflict): "\(conflict.label): \(conflict.message); \(conflict.fix)"
        case .closure(let reason): "the closure that receives the records failed: \(reason)"
        case .threads(let allowed, let needed):
            "the system allows \(allowed) more threads, and a run needs \(needed); raise the limit (\(Self.limitsOfThreads))"
        case .descriptors(let allowed, let needed):
            "the system allows \(allowed) more open files, and a command needs \(needed); raise the limit (ulimit -n)"
        case .room(let folder, let reason):
            "cannot spill to '\(folder)': \(reason); use a state folder with more space (--state), or raise limits.memory"
        case .report(let path, let reason): "\(path): \(reason)"
        case .fault(let what): "\(what); this is a bug in sluice, please report it, with the report.json"
        }
    }
}

extension RunError {
    /// The description, without advice if another program made the plan, and knows what to do.
    package var cause: String {
        if case .outdatedPlan(let change) = self { "\(change) since the plan was made" } else { description }
    }

    /// Whether another attempt, perhaps on another machine, would fail again.
    package var isPermanent: Bool {
        switch self {
        case .stopped, .tooManyDeadLetters, .allDead, .files, .closure, .types, .plan(_, mayPass: false), .outdatedPlan, .fault, .input(.damaged): true
        case .input(.fetch(_, _, mayPass: false)): true
        case .input, .output, .unpublished, .unpublishedBefore, .busy, .unfinished, .threads, .descriptors, .room, .report, .plan: false
        }
    }

    /// Attributes the failure of a pipeline of batches to a stage, an input or an output.
    init(_ reason: PipelineError) {
        switch reason {
        case .stage(_, _, _, let error), .source(_, let error), .sink(let error), .deadLetters(let error):
            self =
                switch error {
                case let error as RunError: error
                case let error as InputError: .input(error)
                case let error as OutputError: .output(error)
                default: .fault("\(error)")
                }
        case .cancelled, .unbalanced, .drained: self = .fault(reason.description)
        }
    }
}
