import CBytes

/// Validates UTF-8 as defined by Unicode (table 3-7): no overlong forms, no surrogates, nothing
/// above U+10FFFF.
///
/// Unsafe memory: reads up to 64 bytes past a text's end, as ``JSONScan`` says.
package enum UTF8Text {
    /// The length of the well-formed sequence of two to four bytes that begins here; 0 if there is
    /// none.
    @inline(__always)
    static func sequence(at place: UnsafePointer<UInt8>) -> Int {
        let word = UInt32(littleEndian: cbytes_load32(place))
        if word & 0xC0E0 == 0x80C0 { return word & 0x1E != 0 ? 2 : 0 }
        if word & 0xC0_C0F0 == 0x80_80E0 {
            let high = word & 0x200F
            return high != 0 && high != 0x200D ? 3 : 0
        }
        if word & 0xC0C0_C0F8 == 0x8080_80F0 {
            let code = ((word & 7) << 6) | ((word >> 8) & 0x3F)
            return code >= 0x10 && code < 0x110 ? 4 : 0
        }
        return 0
    }

    /// Like ``sequence(at:)``, but does not read past the end.
    static func lastSequence(at place: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
        let bytes = InlineArray<4, UInt8> { place + $0 < end ? place[$0] : 0 }
        return bytes.span.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return sequence(at: start)
        }
    }

    /// 64 bytes after the text must be readable.
    package static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool { firstInvalid(in: text) == nil }

    /// The index of the first byte that is not part of well-formed UTF-8; `nil` if there is none.
    /// 64 bytes after the text must be readable.
    package static func firstInvalid(in text: UnsafeBufferPointer<UInt8>) -> Int? {
        firstInvalid(in: text) { cbytes_nonascii32($0) }
    }

    /// Like ``firstInvalid(in:)``, but a NUL is invalid, too.
    static func firstInvalidOrNUL(in text: UnsafeBufferPointer<UInt8>) -> Int? {
        firstInvalid(in: text) { cbytes_nonascii_or_nul32($0) }
    }

    /// - Parameter stops: a mask over the next 32 bytes of those beyond ASCII and, optionally,
    ///   NULs.
    @inline(__always)
    private static func firstInvalid(in text: UnsafeBufferPointer<UInt8>, stops: (UnsafePointer<UInt8>) -> UInt32) -> Int? {
        guard let start = text.baseAddress else { return nil }
        let end = start + text.count
        var place = start
        while place < end {
            let mask = stops(place)
            guard mask != 0 else {
                place += 32
                continue
            }
            place += mask.trailingZeroBitCount
            if place < end, place.pointee == 0 { return place - start }
            while place < end, place.pointee >= 0x80 {
                let length = sequence(at: place)
                guard length > 0, place + length <= end else { return place - start }
                place += length
            }
        }
        return nil
    }
}
