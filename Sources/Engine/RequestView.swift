import Routing
import Wire

/// A request's head where it stands, as routing looks at it. Valid as long as the bytes are.
struct RequestView: ~Copyable, HTTPRequestHead {
    let bytes: UnsafeRawBufferPointer
    let line: HTTPRequestLine
    let fields: UnsafeMutableBufferPointer<HTTPField>
    /// In its normal form.
    let path: UnsafeRawBufferPointer
    /// Something follows the head.
    let hasBody: Bool

    var method: UnsafeRawBufferPointer { line.methodName.bytes(in: bytes) }
    var authority: UnsafeRawBufferPointer? {
        line.authority.isEmpty ? nil : line.authority.bytes(in: bytes)
    }
    var query: UnsafeRawBufferPointer { (line.query ?? .empty).bytes(in: bytes) }
    var headerCount: Int { fields.count }
    func headerName(_ index: Int) -> UnsafeRawBufferPointer { fields[index].name.bytes(in: bytes) }
    func headerValue(_ index: Int) -> UnsafeRawBufferPointer {
        fields[index].value.bytes(in: bytes)
    }
}
