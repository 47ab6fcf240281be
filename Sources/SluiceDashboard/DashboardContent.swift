/// What a dashboard shows, and what can be done with it. Called on the server's thread, one call at
/// a time, whatever the number of viewers.
package protocol DashboardContent: Sendable {
    /// HTML, with everything that is known by now.
    ///
    /// - Parameter event: the name of the last event, which the page need not be sent again.
    func page(after event: String) throws -> [UInt8]
    /// JSON.
    func status() throws -> [UInt8]
    /// JSON.
    func samples() throws -> [UInt8]
    /// Prometheus' text format.
    func metrics() throws -> [UInt8]
    /// JSON on one line: what has changed since the last one, or everything.
    func event(isWhole: Bool) throws -> [UInt8]
    /// JSON on one line: how the run has ended. Not called before.
    func lastEvent() throws -> [UInt8]

    func drain() throws(DashboardRefusal)
    func resize(_ stage: String, to workers: Int) throws(DashboardRefusal)
}

/// Why something was not done.
package struct DashboardRefusal: Error, Sendable, Equatable {
    /// Of HTTP.
    package var status: Int
    /// For programs.
    package var code: String
    package var message: String

    package init(_ status: Int, _ code: String, _ message: String) {
        (self.status, self.code, self.message) = (status, code, message)
    }
}
