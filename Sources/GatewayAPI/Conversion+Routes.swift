import Manifest
import Routing

// Routes: a reference to a Backend that becomes several is several references, each with its part
// of the weight; what stood by for a Backend stands by for the rule.

extension Conversion {
    /// Of `BackendRef.weight`.
    static let weightMax = 1_000_000

    /// A route's document; nil = it stays as it is.
    mutating func converted(route: Node, _ identity: ObjectIdentity) -> Node? {
        guard let rules = route["spec"]?["rules"] else { return nil }
        refuseCarriers(identity)
        var isChanged = false
        var number = 0
        let new = rules.replacingItems { rule in
            defer { number += 1 }
            let result = converted(rule: rule, identity, path: "spec.rules[\(number)]")
            isChanged = isChanged || result != nil
            return [result ?? rule]
        }
        guard isChanged else { return nil }
        return route.editing("spec") { $0.setting("rules", new) }
    }

    private mutating func converted(
        rule: Node, _ route: ObjectIdentity, path: String
    ) -> Node? {
        var new = rule
        var isChanged = false
        if let filters = rule["filters"], let mirrored = mirrors(filters, route, "\(path).filters")
        {
            new = new.setting("filters", mirrored)
            isChanged = true
        }
        guard let list = rule["backendRefs"] else { return isChanged ? new : nil }
        var references = list.items
        for (number, reference) in references.enumerated() {
            let place = "\(path).backendRefs[\(number)].filters"
            guard let filters = reference["filters"], let mirrored = mirrors(filters, route, place)
            else { continue }
            references[number] = reference.setting("filters", mirrored)
            isChanged = true
        }
        let standby = standby(references, route, "\(path).backendRefs")
        if let split = split(references, route, list.place, "\(path).backendRefs") {
            references = split
            isChanged = true
        }
        if !standby.isEmpty {
            references += standby
            isChanged = true
        }
        guard isChanged else { return nil }
        return new.setting("backendRefs", Node(place: list.place, value: .sequence(references)))
    }

    /// The Backend of these files that a reference names.
    private func change(_ reference: Node, _ route: ObjectIdentity) -> BackendChange? {
        guard reference["kind"]?.text == Kind.backend.rawValue,
            reference["group"]?.text == Kind.envoyGroup, let name = reference["name"]?.text
        else { return nil }
        let identity = ObjectIdentity(
            kind: Kind.backend.rawValue,
            namespace: reference["namespace"]?.text ?? route.namespace, name: name)
        return changes[identity]
    }

    // MARK: - Shares

    /// The references with each endpoint's share of the rule as it was; nil = as they are.
    private mutating func split(
        _ references: [Node], _ route: ObjectIdentity, _ place: SourcePlace, _ path: String
    ) -> [Node]? {
        let all = references.map { (node: $0, change: change($0, route)) }
        guard all.contains(where: { $0.change?.isSplit == true }) else { return nil }
        var weights: [[Int]] = []
        // The least number that makes every part of every weight a whole number.
        var scale = 1
        for (node, change) in all {
            let weight = node["weight"]?.text.flatMap { Int($0) } ?? 1
            guard let change, change.isSplit else {
                weights.append([weight])
                continue
            }
            let whole = max(change.shares(for: route.kind), 1)
            let parts = change.parts.map { weight * change.share($0, for: route.kind) }
            weights.append(parts)
            for part in parts {
                let needed = whole / Self.divisor(part, whole)
                let (product, overflows) = (scale / Self.divisor(scale, needed))
                    .multipliedReportingOverflow(by: needed)
                scale = overflows ? Int(UInt32.max) : min(product, Int(UInt32.max))
            }
        }
        for (number, (_, change)) in all.enumerated() {
            let whole = change?.isSplit == true ? change?.shares(for: route.kind) ?? 1 : 1
            weights[number] = weights[number].map { $0 * scale / max(whole, 1) }
        }
        let common = max(weights.joined().reduce(0, Self.divisor), 1)
        let most = (weights.joined().max() ?? 0) / common
        if most > Self.weightMax {
            report(
                .error, at: place, route, path: path, rule: "weight",
                "the shares of the split Backends need a weight of \(most), and "
                    + "\(Self.weightMax) is the most; write weights with a common divisor")
        }
        let divisor = scale > 1 ? common : 1
        return zip(all, weights).flatMap { reference, weights in
            let (node, change) = reference
            let place = node["weight"]?.place ?? node.place
            guard let change, change.isSplit else {
                // Where nothing is scaled, what was left out may stay so.
                return scale > 1
                    ? [node.setting("weight", Node(weights[0] / divisor, at: place))] : [node]
            }
            return zip(change.parts, weights).compactMap { part, weight in
                guard change.share(part, for: route.kind) > 0 else { return nil }
                return Self.renamed(node, part.name)
                    .setting("weight", Node(weight / divisor, at: place))
            }
        }
    }

    /// The greatest common divisor; that of 0 and a number is the number.
    static func divisor(_ left: Int, _ right: Int) -> Int {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }

    static func renamed(_ reference: Node, _ name: String) -> Node {
        guard let old = reference["name"], old.text != name else { return reference }
        return reference.setting("name", Node(name, at: old.place))
    }

    // MARK: - Fallbacks

    /// References to what stands by for the Backends of a rule.
    private mutating func standby(
        _ references: [Node], _ route: ObjectIdentity, _ path: String
    ) -> [Node] {
        let all = references.map { (node: $0, change: change($0, route)) }
        guard let first = all.first(where: { $0.change?.standby.isEmpty == false }),
            let change = first.change
        else { return [] }
        let names = change.standby
        for (number, (node, other)) in all.enumerated() where other?.standby != names {
            report(
                .error, at: node.place, route, path: "\(path)[\(number)]", rule: "fallback",
                "\(change.identity) of the same rule has a fallback that this has not; in the real "
                    + "CRD a fallback stands by for the whole rule: give all of its Backends the "
                    + "same fallback or none, or make two rules")
        }
        let shares = standbyShares(change)
        return zip(names, shares).map { name, share in
            let reference = Self.renamed(first.node, name).removing(["weight", "port"])
            guard names.count > 1 else { return reference }
            return reference.setting("weight", Node(share, at: first.node.place))
        }
    }

    /// How many endpoints each of the standby has.
    private func standbyShares(_ change: BackendChange) -> [Int] {
        guard let source = change.standbySource, let other = changes[source],
            other.backend.endpoints.count > 0
        else { return change.standby.map { _ in 1 } }
        let groups = other.parts.map { max($0.endpoints.count, 1) }
        return groups.count == change.standby.count ? groups : change.standby.map { _ in 1 }
    }

    // MARK: - Mirrors

    /// Filters whose mirrors name Backends that become several; nil = as they are.
    private mutating func mirrors(
        _ filters: Node, _ route: ObjectIdentity, _ path: String
    ) -> Node? {
        var isChanged = false
        var number = 0
        let new = filters.replacingItems { filter in
            defer { number += 1 }
            guard let mirror = filter["requestMirror"], let reference = mirror["backendRef"],
                let change = change(reference, route)
            else { return [filter] }
            if !change.standby.isEmpty {
                report(
                    .error, at: reference.place, route,
                    path: "\(path)[\(number)].requestMirror.backendRef", rule: "fallback",
                    "a mirror has no fallback in the real CRD; name a Backend without one")
            }
            guard change.isSplit else { return [filter] }
            isChanged = true
            let whole = Self.fraction(mirror)
            return change.parts.map { part in
                let numerator = whole.numerator * change.share(part, for: route.kind)
                let denominator = whole.denominator * change.shares(for: route.kind)
                let common = max(Self.divisor(numerator, denominator), 1)
                let place = reference.place
                let share = Node(
                    fields: [
                        "numerator": Node(numerator / common, at: place),
                        "denominator": Node(denominator / common, at: place),
                    ], at: place)
                let new = mirror.removing(["percent"])
                    .setting("backendRef", Self.renamed(reference, part.name))
                    .setting("fraction", share)
                return filter.setting("requestMirror", new)
            }
        }
        return isChanged ? new : nil
    }

    private static func fraction(_ mirror: Node) -> (numerator: Int, denominator: Int) {
        func number(_ node: Node?) -> Int? { node?.text.flatMap { Int($0) } }
        if let percent = number(mirror["percent"]) { return (percent, 100) }
        guard let fraction = mirror["fraction"] else { return (1, 1) }
        return (number(fraction["numerator"]) ?? 100, number(fraction["denominator"]) ?? 100)
    }

    // MARK: - What carries what

    /// The seed's `appProtocol` names a transport, which nothing in the real CRD does: where it
    /// contradicts the route, the contradiction would be gone and traffic would flow.
    private mutating func refuseCarriers(_ identity: ObjectIdentity) {
        guard let route = routes[identity] else { return }
        for reference in route.rules.flatMap(\.backends) + route.mirrored {
            guard let change = changes[reference.reference.identity] else { continue }
            if change.node["spec"]?["appProtocol"] != nil {
                refuseCarrier(of: change, route, reference)
            }
            // What stands by was not looked at before, and is referred to now.
            if let source = change.standbySource, let other = changes[source] {
                refuseCarrier(of: other, route, reference)
            }
        }
    }

    private mutating func refuseCarrier(
        of change: BackendChange, _ route: Route, _ reference: Route.BackendRef
    ) {
        guard let said = change.backend.application?.value else { return }
        let isCarried =
            (said == .udp) == (route.carried == .udp)
            && !(said == .tcp && route.carried == .http)
        guard !isCarried else { return }
        report(
            .error, at: reference.reference.name.place, route.metadata.identity,
            path: reference.reference.path, rule: "appProtocol",
            "\(change.identity) says appProtocol: \(said.rawValue), which does not go with a "
                + "\(route.carried.rawValue) and has no word in the real CRD; correct one of the "
                + "two")
    }
}

extension Route {
    /// What its mirrors refer to.
    fileprivate var mirrored: [BackendRef] {
        (rules.flatMap(\.filters) + rules.flatMap(\.backends).flatMap(\.filters)).compactMap {
            if case .mirror(let reference, _, _) = $0.effect { reference } else { nil }
        }
    }
}
