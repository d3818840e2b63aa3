import Testing

@testable import Kernel

struct KernelFeaturesTests {
    @Test("each feature has a name of its own and is found by it")
    func names() {
        for (feature, name) in KernelFeatures.names {
            #expect(KernelFeatures(name: name) == feature)
            #expect(feature.description == name)
            #expect(feature.rawValue.nonzeroBitCount == 1)
            #expect(KernelFeatures.all.contains(feature))
        }
        let count = KernelFeatures.names.count
        #expect(KernelFeatures.all.rawValue.nonzeroBitCount == count, "no two share a bit")
        #expect(Set(KernelFeatures.names.map(\.name)).count == count)
        #expect(KernelFeatures(name: "time-travel") == nil)
    }

    @Test("several features are listed with spaces")
    func description() {
        let some: KernelFeatures = [.splice, .deferTaskrun]
        #expect(some.description == "defer-taskrun splice")
        #expect(KernelFeatures([]).description.isEmpty)
    }
}
