import Kernel

/// What kind of operation a token belongs to, and of which half of a connection.
enum OperationKind: UInt8 {
    /// A cancel's own completion, which tells nothing.
    case none = 0
    case wakeup
    case accept
    case inspect
    case dial
    case requestReceive, responseReceive
    case requestSend, responseSend
    case requestPollSource, responsePollSource
    case requestPollSink, responsePollSink
    case listenerDatagrams
    case flowDatagrams
}

/// The two directions of a connection: from the client to the endpoint, and back.
enum Way: UInt8, BitwiseCopyable {
    case request, response

    var opposite: Way { self == .request ? .response : .request }

    var receiveKind: OperationKind { self == .request ? .requestReceive : .responseReceive }
    var sendKind: OperationKind { self == .request ? .requestSend : .responseSend }
    var pollSourceKind: OperationKind {
        self == .request ? .requestPollSource : .responsePollSource
    }
    var pollSinkKind: OperationKind { self == .request ? .requestPollSink : .responsePollSink }
}
