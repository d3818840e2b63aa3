/// A fault as one word and back, for an atomic: 1 in bit 63, 32 bits of OpenSSL's number from bit
/// 16, 8 of the kind, 8 of an alert.
extension TLSFault {
    public var word: UInt64 {
        var (place, alert) = (Self.kinds.firstIndex(of: kind) ?? 0, UInt8(0))
        if case .alertReceived(let number) = kind { (place, alert) = (Self.alertPlace, number) }
        return 1 << 63 | UInt64(UInt32(truncatingIfNeeded: code)) << 16 | UInt64(place) << 8
            | UInt64(alert)
    }

    /// - Returns: nil = it is no fault's.
    public init?(word: UInt64) {
        let place = Int(word >> 8 & 0xff)
        guard word >> 63 == 1, place <= Self.alertPlace else { return nil }
        let isAlert = place == Self.alertPlace
        self.init(
            isAlert ? .alertReceived(UInt8(word & 0xff)) : Self.kinds[place],
            code: UInt(word >> 16 & 0xffff_ffff))
    }

    private static var alertPlace: Int { kinds.count }

    /// All that have nothing with them; what is not here is the first.
    static let kinds: [Kind] = [
        .other, .peerClosed, .certificateExpired, .certificateNotYetValid, .certificateWrongHost,
        .certificateUntrusted, .certificateRevoked, .certificateRevocationUnknown,
        .certificateWrongPurpose, .certificateUnpinned, .clientCertificateMissing,
        .protocolVersion, .noSharedCipher, .noSharedAlgorithm, .noApplicationProtocol, .badRecord,
        .notTLS, .malformedMessage, .unexpectedMessage, .outOfMemory,
    ]
}
