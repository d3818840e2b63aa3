import Wire

/// An answer of the worker's own: a status, a short body, and where a redirect leads.
struct Answer {
    let status: UInt16
    let fault: RequestFault?
    let body: [UInt8]
    /// Empty = it is no redirect.
    let location: [UInt8]

    init(_ fault: RequestFault) {
        status = fault.status
        self.fault = fault
        body = Array(
            UnsafeRawBufferPointer(
                start: fault.text.utf8Start, count: fault.text.utf8CodeUnitCount))
        location = []
    }

    init(status: UInt16, body: [UInt8] = [], location: [UInt8] = []) {
        self.status = status
        fault = nil
        self.body = body
        self.location = location
    }
}
