/// A complete file that becomes an output.
package struct FinishedFile: Sendable {
    var path: String
    var records: Int
    var bytes: UInt64
    var sha256: DigestText
}
