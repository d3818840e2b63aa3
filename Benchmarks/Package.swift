// swift-tools-version: 6.2
import PackageDescription

/// What measures Apus, kept out of the product: the load generator and backend that `tools/bench`
/// drives, and the preloaded library that counts allocations.
let package = Package(
    name: "apus-benchmarks",
    products: [
        .executable(name: "apus-bench", targets: ["apus-bench"]),
        .library(name: "AllocationCounter", type: .dynamic, targets: ["AllocationCounter"]),
    ],
    dependencies: [.package(name: "apus", path: "..")],
    targets: [
        .target(
            name: "AllocationCounter",
            linkerSettings: [.linkedLibrary("dl")]),
        .target(
            name: "CSecure",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "Marks"),
        .target(name: "Measuring"),
        .executableTarget(
            name: "apus-bench",
            dependencies: [
                "CSecure", "Marks", "Measuring",
                .product(name: "Discovery", package: "apus"),
                .product(name: "Kernel", package: "apus"),
            ],
            // As in the product: all modules must see the system's headers alike.
            swiftSettings: [.unsafeFlags(["-Xcc", "-D_GNU_SOURCE"])]),
        .testTarget(name: "MeasuringTests", dependencies: ["Measuring"]),
    ],
    swiftLanguageModes: [.v6]
)
