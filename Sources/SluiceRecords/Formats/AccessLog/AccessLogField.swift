/// The fields of an access log's line, in the order of writing.
package enum AccessLogField: Int, CaseIterable, Sendable {
    /// The first field of a line in the virtual-host form.
    case vhost
    case ip, ident, user, time
    /// The offset of the time from UTC, as logged: `+0200`.
    case zone
    case method, path
    case `protocol`
    /// The request as logged, if it is not three words. `method`, `path` and `protocol` are then
    /// absent.
    case request
    case status, bytes, referer, agent

    package var name: String { String(describing: self) }

    /// The fields of one form, in the order of writing.
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
