internal import SluiceCEL
internal import SluiceRecords

extension DefinitionReading {
    /// Parses the stages, sinks and routes of a map.
    ///
    /// - Parameter depth: the number of enclosing routes; routes may be nested once.
    mutating func readFlow(_ map: YAMLMap, _ owner: String, depth: Int) -> FlowDefinition {
        var flow = FlowDefinition()
        if let node = map["stages"] { flow.stages = readStages(node) }
        if map["sink"] != nil, let routes = map["routes"] {
            report("\(owner): both 'sink' and 'routes'", at: routes.place, fix: "give each route its own sink")
        }
        if let node = map["sink"] { readSinks(node, into: &flow) }
        if let node = map["routes"] {
            flow.routes = readRoutes(node, into: &flow, depth: depth)
            if let match = map["match"], let name = choice(match, "\(owner): 'match'", of: Routes.Match.allCases.map(\.rawValue)) {
                flow.routes?.match = Routes.Match(rawValue: name.text) ?? .first
            }
        } else if let match = map["match"] {
            report("\(owner): 'match' without 'routes'", at: match.place, fix: "remove it")
        }
        if map["sink"] == nil, map["routes"] == nil { flow.isIncomplete = true }
        return flow
    }

    private mutating func readSinks(_ node: YAMLNode, into flow: inout FlowDefinition) {
        guard case .list(let list) = node else {
            if let sink = readSink(node) { flow.sinks = [sink] } else { flow.isIncomplete = true }
            return
        }
        if list.elements.isEmpty {
            flow.isIncomplete = true
            report("sink: the list is empty", at: node.place, fix: "write 'sink: {\(FileKeys.sinks[0].example)}'")
        }
        for element in list.elements {
            if let sink = readSink(element) { flow.sinks.append(sink) } else { flow.isIncomplete = true }
        }
    }

    private mutating func readRoutes(_ node: YAMLNode, into flow: inout FlowDefinition, depth: Int) -> RoutesDefinition {
        let example = "routes: [{name: errors, when: status >= 500, sink: {\(FileKeys.sinks[0].example)}}]"
        var routes = RoutesDefinition()
        guard let nodes = list(node, "routes", example: example) else {
            flow.isIncomplete = true
            return routes
        }
        if nodes.isEmpty {
            flow.isIncomplete = true
            report("routes: the list is empty", at: node.place, fix: "write '\(example)'")
        }
        for (index, node) in nodes.enumerated() {
            guard let route = readRoute(node, number: index + 1, depth: depth) else {
                flow.isIncomplete = true
                continue
            }
            if let first = routes.all.first(where: { $0.name.text.isSame(as: route.name.text) }) {
                report(
                    "routes: the name '\(route.name.text)' is already used by the route on line \(first.name.place.start.line)", at: route.name.place,
                    fix: "give each route a unique name")
            }
            routes.all.append(route)
        }
        return routes
    }

    private mutating func readRoute(_ node: YAMLNode, number: Int, depth: Int) -> RouteDefinition? {
        guard let map = map(node, "route \(number)", example: "- {name: errors, when: status >= 500, sink: {…}}") else { return nil }
        let name = map["name"].flatMap { self.name($0, .route, "route \(number): 'name'", of: "route \(number)") }
        let owner = name.map { "route '\($0.text)'" } ?? "route \(number)"
        if depth > 0, let routes = map["routes"] {
            report("\(owner): routes can only be nested one level deep", at: routes.place, fix: "use longer conditions instead")
            return nil
        }
        check(map, of: owner, takes: depth == 0 ? FileKeys.route : FileKeys.innerRoute)
        let condition = map["when"].flatMap { expression($0, "\(owner): 'when'") }
        let flow = readFlow(map, owner, depth: depth + 1)
        guard let name, map["when"] == nil || condition != nil else { return nil }
        return RouteDefinition(name: name, condition: condition, flow: flow)
    }
}
