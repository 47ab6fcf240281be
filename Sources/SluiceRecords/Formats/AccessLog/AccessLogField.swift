/// The fields of a line of an access log, in the order in which they are written out.
package enum AccessLogField: Int, CaseIterable, Sendable {
    case ip, ident, user, time, method, path
    case `protocol`
    /// The request as it was logged, where it is not three words. `method`, `path` and `protocol`
    /// are absent then.
    case request
    case status, bytes, referer, agent

    package var name: String { String(describing: self) }
}
