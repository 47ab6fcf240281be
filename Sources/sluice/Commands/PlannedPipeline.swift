import FoundationEssentials
import Glibc
import SluiceDefinition
import SluiceRecords

/// The pipeline of a plan, checked once more in this process.
enum PlannedPipeline {
    /// Enters the folder where the definition's relative paths start, and checks the definition.
    ///
    /// - Throws: ``RunError``.
    static func checked(_ plan: TaskPlan, reading inputs: [InputFile]) throws -> RecordPipeline {
        guard FileManager.default.changeCurrentDirectoryPath(plan.folder) else {
            throw RunError.plan("the plan was made in '\(plan.folder)', which cannot be entered here: tasks need the same paths on all machines", mayPass: true)
        }
        let checked = PipelineFile(path: plan.file, text: plan.text).check(setting: plan.settings, state: plan.state, mayLackInputs: true, inputs: inputs)
        guard let pipeline = checked.pipeline else {
            throw RunError.plan("the definition is not valid here:\n\(checked.rendered().trimmedEnd)", mayPass: true)
        }
        if let difference = plan.difference(from: pipeline) { throw RunError.plan("the plan cannot be followed: \(difference)") }
        return pipeline
    }

    /// The path as seen from the folder that the process was started in.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

extension RecordPipeline {
    /// Refuses what cannot be divided into so many tasks, and says why.
    ///
    /// - Parameter state: the run's state folder.
    func checkDivision(into tasks: Int, state: String) throws {
        let obstacles = obstaclesToTasks
        guard obstacles.isEmpty else {
            for obstacle in obstacles { Log.error("this run cannot be divided into tasks: \(obstacle)") }
            throw ExitStatus.wrong
        }
        let conflict: FileConflict?
        do throws(InputError) {
            conflict = try self.conflict(ofPartsFrom: tasks, state: state)
        } catch {
            throw RunError.input(error)
        }
        guard let conflict else { return }
        Log.error("\(RunError.files(conflict))")
        throw ExitStatus.wrong
    }
}

extension String {
    /// The text without the line feed at its end.
    fileprivate var trimmedEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}
