import Sluice
import SluiceCEL

/// Which dead letters a pipeline can take in again, by the stage that refused them, and where.
///
/// A record goes through the stages before that one again, so these must give the same record as
/// before. Stages whose work depends on other records are passed: the record has passed them
/// before. What they would do to a record that they have not seen cannot be known, so its dead
/// letter is kept.
struct ReplayTargets: Sendable {
    /// What becomes of a dead letter.
    enum Fate: Sendable, Equatable {
        /// - Parameters:
        ///   - place: the place in the books of the stage that refused it; `nil` if the pipeline no
        ///     longer has that stage.
        ///   - path: distinguishes the copies of one record.
        case replayed(place: Int?, path: String)
        /// It goes to the new dead letters as it is.
        case kept(reason: String)
    }

    private let places: [PlannedPlace]
    private let splits: [PlannedSplit]

    init(_ pipeline: RecordPipeline) {
        var planning = Planning(pipeline.source, .standard)
        _ = planning.plan(pipeline.flow, route: nil)
        places = planning.places
        splits = planning.splits
    }

    /// - Parameter code: the code of the dead letter.
    func fate(ofStage name: String, code: String) -> Fate {
        guard let place = place(of: name) else {
            let isPlain = places.allSatisfy { kind(of: $0) == .record } && splits.allSatisfy { $0.match == .first }
            return isPlain ? .replayed(place: nil, path: "") : .kept(reason: "the pipeline has no stage '\(name)'")
        }
        if let reason = reasonBefore(place) ?? reasonFrom(place, code: code) { return .kept(reason: reason) }
        return .replayed(place: place, path: path(to: place))
    }

    /// Distinguishes the copies of one record that stages of this name refuse.
    func path(ofStage name: String) -> String { place(of: name).map(path) ?? "" }

    /// - Throws: if a record that another route refused before cannot enter the route of these
    ///   places.
    func checkRoute(_ route: ClosedRange<Int>) throws(RecordFailure) {
        guard let stage = places[route].first(where: { ![.record, .several].contains(kind(of: $0)) }) else { return }
        throw RecordFailure(
            code: "replay.route",
            message: "the record now belongs to the route '\(stage.route ?? "")', where stage '\(stage.name)' needs all records of a run")
    }

    private func place(of name: String) -> Int? { places.firstIndex { $0.name.isSame(as: name) } }

    private enum Kind {
        case record, several, others, combines
    }

    private func kind(of place: PlannedPlace) -> Kind {
        guard let stage = place.stage else { return .record }
        if stage.isClosing { return .combines }
        switch stage.settings.verb.dependence {
        case .record: return .record
        case .recordOfSeveral: return .several
        case .others: return .others
        }
    }

    private func isBefore(_ place: Int, _ later: Int) -> Bool {
        var next = places[later].before
        while let current = next {
            if current == place { return true }
            next = places[current].before
        }
        return false
    }

    /// Why records cannot get as far as a stage again.
    private func reasonBefore(_ place: Int) -> String? {
        for (index, other) in places.enumerated() where isBefore(index, place) {
            switch kind(of: other) {
            case .several: return "'\(places[place].name)' comes after '\(other.name)', which makes several records of one"
            case .combines: return "'\(places[place].name)' comes after '\(other.name)', which combines records"
            case .record, .others: break
            }
        }
        return nil
    }

    /// Why records cannot enter a stage, or those after it.
    private func reasonFrom(_ place: Int, code: String) -> String? {
        for (index, other) in places.enumerated() where index == place || isBefore(place, index) {
            switch kind(of: other) {
            case .combines: return "'\(other.name)' combines records, and has given its results"
            case .others: return "'\(other.name)' depends on the other records, which are not read again"
            // One of the records that it made was refused, and the others were not.
            case .several where index == place && Self.isOfPart(code): return "'\(other.name)' made several records, and this is of one of them"
            case .several, .record: break
            }
        }
        return nil
    }

    private static func isOfPart(_ code: String) -> Bool { code.hasPrefix("parse.") || code == "exec.protocol" }

    private func path(to place: Int) -> String {
        let copies = splits.filter { $0.match == .all && $0.place < place }.sorted { $0.place < $1.place }
        return copies.compactMap { split in
            guard let index = split.branches.firstIndex(where: { $0.flow.places.contains(place) }) else { return nil }
            let start = split.branches[index].flow.places.lowerBound
            return split.name == Planning.copies || split.name.hasSuffix("/" + Planning.copies) ? "\(split.name)/\(index + 1)" : places[start].route
        }.joined(separator: "\n")
    }
}

/// A stage that lets all records pass.
struct PassedStep: EachStep {
    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage { Passed(site: site) }

    private struct Passed: EachStage {
        let site: StageSite

        func run(_ batch: RecordBatch) {
            batch.counts[site.index].in += batch.rows.count
            batch.counts[site.index].out += batch.rows.count
        }
    }
}
