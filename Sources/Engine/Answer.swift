import Wire

/// An answer of the worker's own: a status, a short body, and where a redirect leads.
struct Answer {
    let status: UInt16
    let fault: RequestFault?
    let body: [UInt8]
    /// Empty = it is no redirect.
    let location: [UInt8]
    /// Lines of its head, `name: value` CR LF.
    let lines: [UInt8]

    init(_ fault: RequestFault) {
        status = fault.status
        self.fault = fault
        body = Array(
            UnsafeRawBufferPointer(
                start: fault.text.utf8Start, count: fault.text.utf8CodeUnitCount))
        location = []
        lines = []
    }

    /// The code that gRPC has for the status (`http-grpc-status-mapping.md` of gRPC).
    var grpcStatus: UInt8 {
        switch status {
        case 400, 431: 13
        case 401: 16
        case 403: 7
        case 404: 12
        case 429, 502, 503, 504: 14
        default: 2
        }
    }

    init(status: UInt16, body: [UInt8] = [], location: [UInt8] = [], lines: [UInt8] = []) {
        self.status = status
        fault = nil
        self.body = body
        self.location = location
        self.lines = lines
    }
}
