import GatewayAPI
import Manifest
import Routing

/// The whole way from a file's bytes to the plan under libFuzzer: any bytes give an answer, every
/// finding has a place, and a plan's indices lead somewhere. A broken promise traps.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    let text = String(decoding: bytes, as: UTF8.self)
    let result = Configuration.load(files: [(path: "fuzz.yaml", text: text)])
    for finding in result.findings {
        precondition(finding.place.line >= 1 && finding.place.column >= 1)
        precondition(!finding.message.isEmpty)
        precondition(finding.description.hasPrefix("fuzz.yaml:"))
    }
    checkPlan(result.plan)
    let again = Configuration.load(files: [(path: "fuzz.yaml", text: text)])
    precondition(again.plan == result.plan, "the same text gives the same plan")
    precondition(again.findings == result.findings)
    precondition(again.conditions == result.conditions)
    checkConversion(text)
    return 0
}

/// What is converted is accepted, and has nothing left to convert.
private func checkConversion(_ text: String) {
    let converted = Conversion.convert(files: [(path: "fuzz.yaml", text: text)])
    guard !converted.hasErrors else { return precondition(converted.files.isEmpty) }
    let again = Conversion.convert(files: converted.files)
    precondition(!again.hasErrors)
    precondition(again.changedCount == 0)
}

private func checkPlan(_ plan: Plan) {
    precondition(Set(plan.listeners.map(\.name)).count == plan.listeners.count)
    for listener in plan.listeners {
        precondition(!listener.addresses.isEmpty)
        for address in listener.addresses { _ = address.raw }
        guard let route = listener.route else { continue }
        for backend in route.backends {
            precondition(backend.weight <= 1_000_000)
            if let cluster = backend.cluster { precondition(plan.clusters.indices ~= cluster) }
        }
    }
    for cluster in plan.clusters {
        for case .address(let address) in cluster.tiers.joined().map(\.target) { _ = address.raw }
    }
}
