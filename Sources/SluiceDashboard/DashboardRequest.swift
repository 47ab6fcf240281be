/// A request as the dashboard sees it, whatever has parsed it.
package struct DashboardRequest: Sendable, Equatable {
    package enum Method: Sendable, Equatable {
        case get, head, post, other
    }

    package var method: Method
    package var path: String
    /// The query's items; the first of each name.
    package var query: [String: String]
    package var host: String?
    package var origin: String?
    package var authorization: String?
    package var lastEventID: String?
    package var body: [UInt8]

    /// - Parameter target: the path and the query. Nothing is decoded: none of the names that mean
    ///   something here needs it.
    package init(_ method: Method, target: String, body: [UInt8] = []) {
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts.first ?? "")
        query = [:]
        for item in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(sides[0])
            if query[name] == nil { query[name] = sides.count > 1 ? String(sides[1]) : "" }
        }
        self.body = body
    }

    /// The token that it brings.
    var token: Substring? {
        if let authorization {
            let words = authorization.split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
            return words[1]
        }
        return query["token"].map { $0[...] }
    }
}
