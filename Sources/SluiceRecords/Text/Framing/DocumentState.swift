/// What is read at a position of JSON documents, outside of records and of values that are passed
/// over.
struct DocumentState {
    enum Phase: UInt8 {
        case document
        /// In a list of documents.
        case item, itemOrClose, itemSeparator
        /// In an object on the path to the list of records.
        case member, memberOrClose, memberSeparator
        /// Before the value that the path leads to.
        case found
        /// In the list of records.
        case element, elementOrClose, elementSeparator
    }

    /// Text that is no record, up to the next line that can begin one.
    struct Lost {
        var fault: FramingFault?
        /// The number of bytes, and of line feeds in them, that cannot contain such a line.
        var skip = 0
        var feeds = 0
        /// Whether such a line may begin right here.
        var isLineStart = false
    }

    var phase = Phase.document
    /// The number of names of the path that led here.
    var level = 0
    var isInList = false
    /// Whether the document's list was found.
    var hasRecords = false
    /// The indentation of the line on which the last record began, and that of the current line.
    var recordIndent = 0
    var indent = 0
    var isIndent = true
    var lost: Lost?

    var isInRecords: Bool { phase == .element || phase == .elementOrClose || phase == .elementSeparator }

    mutating func beginDocument() { (phase, level, isInList, hasRecords) = (.document, 0, false, false) }
}
