// swift-tools-version: 6.2
import PackageDescription

/// Layers, lowest first; `tools/lint` refuses an import that points upward.
let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        .library(name: "Kernel", targets: ["Kernel", "Primitives"]),
        .library(name: "Discovery", targets: ["Discovery", "Primitives", "Routing"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CLiburing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
        .systemLibrary(
            name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(
            name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(
            name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CLinux"),
        .target(name: "Primitives", dependencies: ["CLinux"]),
        .target(name: "Wire", dependencies: ["Primitives"]),
        .target(name: "Kernel", dependencies: ["CLiburing", "CLinux", "Primitives"]),
        .target(name: "Routing", dependencies: ["Primitives"]),
        .target(
            name: "Discovery",
            dependencies: [
                "CLinux", "Health", "Kernel", "Primitives", "Resolver", "Routing", "TLS",
            ]),
        .target(
            name: "Engine",
            dependencies: [
                "CLinux", "Discovery", "HTTP2", "Kernel", "Primitives", "Routing", "TLS", "Wire",
            ]),
        .target(
            name: "Resolver",
            dependencies: ["CAres", "CLinux", "Kernel", "Primitives", "Routing", "Wire"]),
        .target(
            name: "Health",
            dependencies: ["CLinux", "CNghttp2", "Kernel", "Primitives", "Routing", "TLS", "Wire"]),
        .target(name: "Manifest", dependencies: ["CLibYAML", "CLinux", "CPCRE2", "Primitives"]),
        .target(name: "TLS", dependencies: ["COpenSSL", "Primitives", "Routing", "Wire"]),
        .target(name: "HTTP2", dependencies: ["CNghttp2", "Primitives", "Routing"]),
        .target(name: "GatewayAPI", dependencies: ["Manifest", "Primitives", "Routing", "TLS"]),
        .target(
            name: "Control",
            dependencies: [
                "CLinux", "Discovery", "Engine", "GatewayAPI", "Health", "Kernel", "Manifest",
                "Primitives", "Resolver", "Routing", "TLS",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "Admin",
            dependencies: [
                "CLinux", "Control", "Engine", "Health", "Kernel", "Manifest", "Primitives",
                "Resolver", "Routing",
            ]),
        .executableTarget(
            name: "apus",
            dependencies: [
                "Admin", "CLinux", "Control", "GatewayAPI", "Kernel", "Manifest", "Primitives",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "SimulatedKernel", dependencies: ["CLinux", "Kernel", "Primitives"]),
        .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"]),
        .testTarget(name: "WireTests", dependencies: ["Primitives", "Traffic", "Wire"]),
        .testTarget(name: "KernelTests", dependencies: ["CLinux", "Kernel", "Primitives"]),
        .testTarget(name: "RoutingTests", dependencies: ["Primitives", "Routing"]),
        .testTarget(
            name: "ResolverTests",
            dependencies: ["CLinux", "Primitives", "Resolver", "Routing", "Traffic", "Wire"]),
        .testTarget(
            name: "TLSTests",
            dependencies: [
                "CLinux", "COpenSSL", "Primitives", "Routing", "TLS", "Traffic", "Wire",
            ]),
        .testTarget(
            name: "HTTP2Tests", dependencies: ["CNghttp2", "HTTP2", "Primitives", "Routing"]),
        .testTarget(
            name: "HealthTests",
            dependencies: ["CLinux", "Health", "Primitives", "Routing", "TLS", "Traffic"]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "CLinux", "Discovery", "Engine", "Kernel", "Primitives", "Routing", "Traffic",
                "Wire",
            ]),
        .testTarget(
            name: "DiscoveryTests",
            dependencies: ["Discovery", "Health", "Primitives", "Resolver", "Routing", "TLS"]),
        .testTarget(name: "ManifestTests", dependencies: ["Manifest", "Primitives"]),
        .testTarget(
            name: "GatewayAPITests",
            dependencies: ["GatewayAPI", "Manifest", "Primitives", "Routing"],
            exclude: ["Explanations", "Golden"]),
        .testTarget(
            name: "ControlTests",
            dependencies: [
                "CLinux", "Control", "Discovery", "Engine", "GatewayAPI", "Health", "Kernel",
                "Manifest", "Primitives", "Routing", "TLS",
            ]),
        .testTarget(
            name: "AdminTests",
            dependencies: [
                "Admin", "Control", "Engine", "Health", "Manifest", "Primitives", "Resolver",
                "Routing", "Traffic", "Wire",
            ]),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "CLinux", "Discovery", "Engine", "HTTP2", "Kernel", "Primitives", "Routing",
                "SimulatedKernel", "TLS", "Traffic", "Wire",
            ]),
        .target(name: "Traffic", dependencies: ["CLinux", "Primitives"], path: "Tests/Traffic"),
        .executableTarget(
            name: "KernelCheck", dependencies: ["Primitives", "Traffic"],
            path: "Tests/KernelCheck", exclude: ["kernel-check.yaml"]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "CLinux", "Health", "Kernel", "Primitives", "Resolver", "Routing", "TLS", "Traffic",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

/// The C modules need the GNU interfaces (splice, accept4, cpu sets), and all modules of one
/// compilation must see the system's headers alike, Swift's own Glibc module included. A generic
/// container of one module is specialised in another only if its body is there to be seen: without
/// that a round trip cost 5,600 instructions in user space instead of hundreds. Exclusive access to
/// the properties of classes is checked by the tests, which are built for debugging; at run time the
/// checks are a few in a hundred of what a request by HTTP/2 costs.
for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
        .unsafeFlags(
            ["-cross-module-optimization", "-enforce-exclusivity=unchecked"],
            .when(configuration: .release)),
    ]
}
