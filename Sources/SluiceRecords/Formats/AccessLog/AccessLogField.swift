/// The fields of a line of an access log, in the order in which they are written out.
package enum AccessLogField: Int, CaseIterable, Sendable {
    /// What a line of the virtual-host form begins with.
    case vhost
    case ip, ident, user, time
    /// The time's own offset from UTC, as it was logged: `+0200`.
    case zone
    case method, path
    case `protocol`
    /// The request as it was logged, where it is not three words. `method`, `path` and `protocol`
    /// are absent then.
    case request
    case status, bytes, referer, agent

    package var name: String { String(describing: self) }

    /// Those of one form, in the order in which they are written out.
    static func all(_ layout: AccessLogDecoder.Layout, withHost: Bool = false) -> [AccessLogField] {
        allCases.filter { field in
            switch field {
            case .vhost: withHost
            case .referer, .agent: layout == .combined
            default: true
            }
        }
    }
}
