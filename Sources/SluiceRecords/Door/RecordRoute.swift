import Sluice

/// A part of the flow, with a condition, stages and outputs of its own.
///
/// ```swift
/// records.routes(
///     RecordRoute("errors", when: "status >= 500") {
///         $0.remove(["agent"]).writing(to: "out/errors.jsonl.gz")
///     },
///     RecordRoute("rest") { $0.writing(to: "out/rest.csv.gz") })
/// ```
public struct RecordRoute: Sendable {
    let name: String
    let condition: String?
    let records: Records

    /// - Parameters:
    ///   - name: letters, digits, `-` and `_`; unique among the routes next to it. In reports and
    ///     dead letters it is the prefix of its stages: `errors/remove`.
    ///   - condition: an expression: which records the route takes; `nil`: all.
    ///   - flow: adds stages and outputs, or routes once more, to the records that the route takes.
    public init(_ name: String, when condition: String? = nil, _ flow: (Records) -> Records) {
        self.name = name
        self.condition = condition
        records = flow(.ofRoute)
    }
}

/// Which routes get a record.
public enum RouteMatch: String, Sendable, CaseIterable {
    /// The first whose condition holds.
    case first
    /// Every one whose condition holds gets a copy.
    case all
}

extension Records {
    /// Divides the flow. Every route has stages and outputs of its own, and all outputs are
    /// published together.
    ///
    /// A record that no route takes is filtered; one for which a condition fails is a dead letter.
    /// The stages of these records, wherever they are added, come before the routes. Replaces
    /// earlier outputs or routes.
    ///
    /// - Parameters:
    ///   - routes: in the order in which their conditions are tried. A route may have routes
    ///     itself, but no further.
    ///   - match: ``RouteMatch/all``: every route whose condition holds gets a copy.
    public func routes(_ routes: RecordRoute..., match: RouteMatch = .first) -> Records {
        with {
            $0.outputs = []
            $0.division = RouteDivision(routes: routes, match: match)
        }
    }
}

/// Routes that are not compiled yet.
struct RouteDivision: Sendable {
    var routes: [RecordRoute]
    var match: RouteMatch
}
