import Manifest
import Routing

// What a request must have, as HTTPRoutes and GRPCRoutes say it.

extension HTTPMatch {
    /// `HTTPRouteMatch`.
    init(http fields: Fields) {
        self.init(
            path: fields.mapping("path").map { Path(http: $0) } ?? .prefix(""),
            method: fields.text("method")?.value, headers: Field.list(fields, "headers"),
            query: Field.list(fields, "queryParams", isHeader: false))
    }

    /// `GRPCRouteMatch`: a method is a path (the gRPC protocol over HTTP/2), `/service/method`.
    init(grpc fields: Fields) {
        self.init(
            path: fields.mapping("method").map { Path(grpc: $0) } ?? .prefix(""), method: nil,
            headers: Field.list(fields, "headers"), query: [])
    }
}

extension HTTPMatch.Path {
    init(http fields: Fields) {
        let value = fields.text("value")?.value ?? "/"
        switch fields.text("type")?.value {
        case "Exact": self = .exact(value)
        case "RegularExpression": self = .expression(value)
        default:
            // A slash at the end says nothing (HTTPPathMatch).
            self = .prefix(value.hasSuffix("/") ? String(value.dropLast()) : value)
        }
    }

    init(grpc fields: Fields) {
        let service = fields.text("service")?.value
        let method = fields.text("method")?.value
        if fields.text("type")?.value == "RegularExpression" {
            self = .expression("^/\(service ?? "[^/]+")/\(method ?? "[^/]+")$")
            return
        }
        switch (service, method) {
        case (let service?, let method?): self = .exact("/\(service)/\(method)")
        case (let service?, nil): self = .prefix("/\(service)")
        case (nil, let method?): self = .expression("^/[^/]+/\(method)$")
        case (nil, nil): self = .prefix("")
        }
    }
}

extension HTTPMatch.Field {
    /// Of several with one name only the first counts (HTTPHeaderMatch, HTTPQueryParamMatch).
    static func list(_ fields: Fields, _ name: String, isHeader: Bool = true) -> [Self] {
        var names: Set<String> = []
        return fields.mappings(name).compactMap { fields in
            guard let name = fields.text("name")?.value, let value = fields.text("value")?.value
            else { return nil }
            let key = isHeader ? name.lowercased() : name
            guard names.insert(key).inserted else { return nil }
            let isExpression = fields.text("type")?.value == "RegularExpression"
            return Self(name: key, value: isExpression ? .expression(value) : .exact(value))
        }
    }
}
