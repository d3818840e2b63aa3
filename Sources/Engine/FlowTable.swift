import Primitives
struct FlowTable: ~Copyable {
    let capacity: Int
    var count = 0
    init(capacity: Int) { self.capacity = capacity }
}
struct DatagramDesk: ~Copyable {}
