import CLinux
import Kernel
import Primitives

/// A whole kernel in memory, with a clock of its own: descriptors, sockets, pipes, provided buffers
/// and a ring's operations, as far as a worker sees them, and the network behind them with its
/// clients and backends. Everything that may go one way or another is decided by one seed, so that
/// a seed always replays the same run. Owned by one test; used by one thread.
///
/// What a worker may never do (use a closed descriptor, post a buffer twice, write into a buffer
/// that the kernel owns) is recorded in `defects`.
public final class SimulatedKernel {
    // MARK: Time and chance
    public internal(set) var clock: UInt64 = 1_000_000_000
    public var faults: FaultProfile
    private var source: SeededRandom
    private var events = EventQueue()
    public private(set) var eventsCount = 0

    // MARK: The worker's side
    private var table: [SimulatedFile?] = [nil, nil, nil]
    /// Descriptors at a time (RLIMIT_NOFILE); EMFILE beyond.
    public var descriptorsMax = 20_000
    var queued: [Operation] = []
    var inFlight: [Operation] = []
    var woken: [Operation] = []
    var completions: [Completion] = []
    var completionsTaken = 0
    var groups: [BufferGroup: ProvidedBufferGroup] = [:]
    private(set) lazy var wakeup = WakeupFile(kernel: self)
    /// The last wait had no time-out, and nothing was left that could end it.
    public internal(set) var sleepsForEver = false
    public private(set) var defects: [String] = []
    public var isTracing = false

    // MARK: The network
    private var listeners: [StreamListener] = []
    private var services: [SocketAddress: StreamService] = [:]
    private var boundSockets: [SocketAddress: DatagramSocket] = [:]
    private var datagramPeers: [SocketAddress: DatagramPeer] = [:]
    private var portNext: UInt16 = 32_768
    /// Every connection, so that the weak link from one side to the other holds.
    private var streams: [StreamSocket] = []
    /// Datagrams that a full queue or the network lost.
    public internal(set) var datagramsDropped = 0
    /// Calls by which the worker sent one datagram or several.
    public internal(set) var datagramSendsCount = 0
    /// Bytes that a socket's buffers hold at most; each socket draws one of them.
    public var socketCapacities = [16_384, 65_536, 212_992]

    public init(seed: UInt64, faults: FaultProfile = .none) {
        source = SeededRandom(seed: seed)
        self.faults = faults
    }

    // MARK: - Time and chance

    public func random(_ range: ClosedRange<Int>) -> Int {
        let span = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int(source.next() % span)
    }

    func chance(_ rate: FaultProfile.Rate) -> Bool {
        rate > 0 && random(0...(FaultProfile.whole - 1)) < rate
    }

    func chooseLatency() -> UInt64 {
        UInt64(random(0...Int(faults.latencyNanosecondsMax)))
    }

    func chooseSocketCapacity() -> Int {
        socketCapacities[random(0...(socketCapacities.count - 1))]
    }

    /// Has `action` done after so many nanoseconds of virtual time.
    public func after(_ nanoseconds: UInt64, _ action: @escaping () -> Void) {
        events.add(at: clock + nanoseconds, action)
    }

    public var nextEventTime: UInt64? { events.nextTime }

    /// Lets the next thing happen, at its time; false when nothing will.
    @discardableResult
    public func step() -> Bool {
        guard let event = events.pop() else { return false }
        clock = max(clock, event.time)
        eventsCount += 1
        event.action()
        return true
    }

    /// Time passes while the worker computes; the network does not wait for it.
    func tick() {
        clock += UInt64(random(100...1_500))
        runDueEvents()
    }

    func runDueEvents() {
        while let time = events.nextTime, time <= clock { step() }
    }

    public func report(_ defect: String) {
        defects.append("at \(clock) ns: \(defect)")
        if isTracing { print("DEFECT", defects[defects.count - 1]) }
    }

    func trace(_ text: @autoclosure () -> String) {
        if isTracing { print("\(clock): \(text())") }
    }

    // MARK: - Descriptors

    /// Takes the lowest free number, as `open(2)` promises; so numbers come back at once.
    func install(_ file: SimulatedFile) -> Descriptor {
        guard openDescriptorsCount < descriptorsMax else { return -EMFILE }
        let number = table.indices.dropFirst(3).first { table[$0] == nil } ?? table.count
        if number == table.count { table.append(nil) }
        table[number] = file
        openDescriptorsCount += 1
        return Descriptor(number)
    }

    private(set) var openDescriptorsCount = 0
    var isTableFull: Bool { openDescriptorsCount >= descriptorsMax }

    /// The file behind a number; a number that stands for nothing is a defect of the worker.
    func file(_ descriptor: Descriptor, _ use: @autoclosure () -> String) -> SimulatedFile? {
        guard descriptor >= 0, Int(descriptor) < table.count, let file = table[Int(descriptor)]
        else {
            report("\(use()) on descriptor \(descriptor), which is not open")
            return nil
        }
        return file
    }

    func closeNow(_ descriptor: Descriptor) -> Int32 {
        guard let file = file(descriptor, "close") else { return -EBADF }
        if file.operationsCount > 0 {
            // The operation would keep the file alive: no FIN, and a completion for nobody.
            report("close of \(file.name) with \(file.operationsCount) operations in flight")
        }
        table[Int(descriptor)] = nil
        openDescriptorsCount -= 1
        file.release()
        return 0
    }

    /// What is open, lowest number first: for leak checks.
    public var openDescriptors: [(descriptor: Descriptor, name: String)] {
        table.enumerated().compactMap { number, file in
            file.map { (Descriptor(number), $0.name) }
        }
    }

    /// Operations that were submitted and have not ended, the wait for a wake-up among them.
    public var operationsInFlight: [String] {
        (inFlight + queued.filter { $0.file != nil }).map {
            "\($0.kind) on \($0.file?.name ?? "nothing")"
        }
    }

    public var pipesCount: Int {
        table.count { ($0 as? PipeEnd)?.isWriteEnd == true }
    }

    public func buffersPosted(in group: BufferGroup) -> Int { groups[group]?.count ?? 0 }

    // MARK: - What the test sets up

    /// A bound listening socket, as the control thread hands it to a worker.
    public func listen(on address: SocketAddress, backlog: Int = 4096) -> Descriptor {
        let listener = StreamListener(kernel: self, address: address, backlog: backlog)
        listeners.append(listener)
        return install(listener)
    }

    /// A bound UDP socket, as the control thread hands it to a worker.
    public func bind(on address: SocketAddress) -> Descriptor {
        let socket = DatagramSocket(kernel: self, family: address.raw.family)
        socket.localAddress = address
        boundSockets[address] = socket
        return install(socket)
    }

    /// Rouses the worker, as `Wakeup.signal()` does.
    public func wake() {
        wakeup.signal()
    }

    /// A backend: `accept` is called with its side of each new connection.
    @discardableResult
    public func serve(
        at address: SocketAddress, _ accept: @escaping (StreamSocket) -> Void
    ) -> StreamService {
        let service = StreamService(accept: accept)
        services[address] = service
        return service
    }

    public func withdraw(_ address: SocketAddress) {
        services[address] = nil
        datagramPeers[address] = nil
    }

    public func datagramPeer(at address: SocketAddress) -> DatagramPeer {
        let peer = DatagramPeer(kernel: self, address: address)
        datagramPeers[address] = peer
        return peer
    }

    /// A client connects to one of the worker's listeners; `observe` the socket to follow it.
    public func connect(from client: SocketAddress?, to address: SocketAddress) -> StreamSocket {
        let family = address.raw.family
        let outside = StreamSocket(kernel: self, family: family, name: "client's side")
        outside.localAddress = client
        outside.peerAddress = address
        outside.state = .connecting
        outside.onChange = {}
        streams.append(outside)
        after(chooseLatency()) { [self] in arrive(outside, at: address, attempts: 6) }
        return outside
    }

    private func arrive(_ outside: StreamSocket, at address: SocketAddress, attempts: Int) {
        guard !outside.isClosed else { return }
        guard let listener = listeners.first(where: { $0.address.covers(address) }) else {
            outside.pendingError = ECONNREFUSED
            return outside.changed()
        }
        guard listener.queue.count < listener.backlog else {
            // A full queue drops the SYN; the client sends another after a second (`listen(2)`).
            guard attempts > 0 else {
                outside.pendingError = ETIMEDOUT
                return outside.changed()
            }
            return after(1_000_000_000) { [self] in
                arrive(outside, at: address, attempts: attempts - 1)
            }
        }
        let inside = StreamSocket(kernel: self, family: listener.family, name: "accepted socket")
        inside.localAddress = address
        inside.peerAddress = outside.localAddress
        streams.append(inside)
        StreamSocket.connect(inside, outside)
        listener.queue.append(inside)
        listener.notify()
        outside.changed()
    }

    // MARK: - The network

    func service(at address: SocketAddress) -> StreamService? { services[address] }
    func keep(_ socket: StreamSocket) { streams.append(socket) }

    func forget(_ listener: StreamListener) {
        listeners.removeAll { $0 === listener }
    }

    func forget(_ socket: DatagramSocket) {
        if let address = socket.localAddress { boundSockets[address] = nil }
    }

    /// Binds a socket that sends before it has an address.
    func bindSource(of socket: DatagramSocket) -> SocketAddress {
        if let address = socket.localAddress { return address }
        let address = chooseAddress(family: socket.family)
        socket.localAddress = address
        boundSockets[address] = socket
        return address
    }

    func chooseAddress(family: Int32) -> SocketAddress {
        portNext = portNext == UInt16.max ? 32_768 : portNext + 1
        return .ip(family == AF_INET6 ? .loopbackIPv6 : .loopbackIPv4, port: portNext)
    }

    /// From the worker to the outside.
    func carryOut(_ datagram: Datagram, to address: SocketAddress, sender: DatagramSocket) {
        after(chooseLatency()) { [self] in
            guard !loses(datagram) else { return }
            guard let peer = datagramPeers[address] else { return sender.fail(ECONNREFUSED) }
            peer.arrive(datagram)
        }
    }

    /// From the outside to the worker: to the socket connected to the sender, or to the bound one.
    func carryIn(_ datagram: Datagram, to address: SocketAddress, sender: DatagramPeer) {
        after(chooseLatency()) { [self] in
            guard !loses(datagram) else { return }
            let socket = ([address] + address.wildcards).lazy.compactMap { self.boundSockets[$0] }
            guard let socket = socket.first,
                socket.peerAddress == nil || socket.peerAddress == datagram.source
            else {
                sender.onRefused?()
                return
            }
            socket.arrive(datagram)
        }
    }

    private func loses(_ datagram: Datagram) -> Bool {
        guard chance(faults.datagramLost) else { return false }
        datagramsDropped += datagram.segments.count
        return true
    }
}

extension SocketAddress {
    /// The addresses that take what goes to this one on every interface.
    var wildcards: [SocketAddress] {
        guard case .ip(let address, let port) = self else { return [] }
        return (address.isIPv4 ? [.ip(.anyIPv4, port: port)] : []) + [.ip(.anyIPv6, port: port)]
    }

    /// Whether a socket bound to this address takes what goes to `other`.
    func covers(_ other: SocketAddress) -> Bool {
        self == other || other.wildcards.contains(self)
    }
}

/// A backend's listening socket. Owned by the kernel; the test changes how it answers.
public final class StreamService {
    public enum Manner { case accepting, refusing, silent }

    public var manner = Manner.accepting
    let accept: (StreamSocket) -> Void

    init(accept: @escaping (StreamSocket) -> Void) {
        self.accept = accept
    }
}
