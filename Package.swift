// swift-tools-version: 6.2
import PackageDescription

// `SLUICE_NO_ISAL=1` builds without ISA-L: zlib does everything then, several times as slowly.
let withoutISAL = Context.environment["SLUICE_NO_ISAL"] == "1"

let package = Package(
    name: "sluice",
    products: [
        .executable(name: "sluice", targets: ["sluice"]),
        .library(name: "Sluice", targets: ["Sluice"]),
        .library(name: "SluiceRecords", targets: ["SluiceRecords"]),
        .library(name: "WorkerPools", targets: ["WorkerPools"]),
        .library(name: "SluiceCEL", targets: ["SluiceCEL"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // Floor 5: flags and glue.
        .executableTarget(
            name: "sluice",
            dependencies: [
                "SluiceDashboard", "SluiceDefinition", "SluiceRecords", "SluiceCEL", "CProcess",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            resources: [
                .embedInCode("Spark/runner.py"), .embedInCode("Page/page.html"), .embedInCode("Page/page.css"), .embedInCode("Page/page.js"),
                .embedInCode("Page/live.js"),
            ]),
        // Floor 4: serves the page of a run while it goes on; the only target that knows HTTP
        // serving.
        .target(
            name: "SluiceDashboard",
            dependencies: [
                "WorkerPools",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        // Floor 3: YAML to definition to diagnostics to a pipeline of records.
        .target(
            name: "SluiceDefinition",
            dependencies: ["SluiceRecords", "Sluice", "WorkerPools", "SluiceCEL", .product(name: "Yams", package: "Yams")]),
        // Floor 2: bytes to records and back.
        .target(
            name: "SluiceRecords",
            dependencies: [
                "Sluice", "SluiceCEL", "WorkerPools", "CZlib", "CISAL", "CZstd", "CBzip2", "CLZMA", "CSQLite", "CCurl", "CCrypto", "CBytes",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            resources: [.embedInCode("Ends/Addresses/fetch.py")]),
        // With public declarations alone, as a program of another package.
        .executableTarget(
            name: "server-errors", dependencies: ["SluiceRecords", "SluiceCEL", "Sluice"], path: "Examples/ServerErrors", packageAccess: false),
        // Floor 1: typed sources, stages and sinks over any element.
        .target(
            name: "Sluice",
            dependencies: [
                "WorkerPools",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]),
        .executableTarget(name: "upload-files", dependencies: ["Sluice"], path: "Examples/UploadFiles"),
        // Floor 0.
        .target(
            name: "WorkerPools",
            dependencies: [
                "CPrefetch",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]),
        .target(name: "SluiceCEL", dependencies: ["CRE2", "CCrypto", "CBytes"]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CBzip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // libre2-dev; its pkg-config file has flags that SwiftPM refuses.
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        // libisal-dev. Linked, not looked for when the program runs, so that its absence is never
        // silent.
        .target(
            name: "CISAL",
            cSettings: withoutISAL ? [.define("SLUICE_NO_ISAL")] : [],
            linkerSettings: withoutISAL ? [] : [.linkedLibrary("isal")]),
        // libcurl4-openssl-dev. Loaded when it is first needed, since it makes every start dearer.
        .target(name: "CCurl"),
        .target(name: "CBytes"),
        .target(name: "CPrefetch"),
        .target(name: "CProcess"),

        // By hand: `make -s bench-cel`, `make -s bench-formats`.
        .executableTarget(name: "bench-cel", dependencies: ["SluiceCEL"], path: "Benchmarks/CEL/bench-cel"),
        .executableTarget(name: "bench-formats", dependencies: ["SluiceRecords", "SluiceCEL"], path: "Benchmarks/Formats/bench-formats"),

        // By hand: `make -s bench-pool`.
        .executableTarget(
            name: "bench-pool", dependencies: ["WorkerPools"], path: "Benchmarks/Pools",
            exclude: ["README.md", "measure.py", "plot.py"]),
        .executableTarget(
            name: "prove-pool", dependencies: ["WorkerPools"], path: "Benchmarks/PoolProofs",
            exclude: ["README.md", "count_malloc.c"]),
        .testTarget(
            name: "WorkerPoolsTests",
            dependencies: [
                "WorkerPools",
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ]),
        // The cases of the CEL specification: `make cel-conformance`, and a test of SluiceCELTests.
        .executableTarget(name: "cel-conformance", dependencies: ["SluiceCEL"], path: "Tests/Conformance"),
        .testTarget(name: "SluiceCELTests", dependencies: ["SluiceCEL", .target(name: "cel-conformance")]),
        .testTarget(
            name: "SluiceTests",
            dependencies: [
                "Sluice", "WorkerPools", .target(name: "upload-files"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]),
        .testTarget(
            name: "SluiceRecordsTests",
            dependencies: [
                "SluiceRecords", "Sluice", "WorkerPools", "SluiceCEL", "CBytes", "CZstd", "CBzip2", "CLZMA", .target(name: "server-errors"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]),
        .testTarget(name: "SluiceDefinitionTests", dependencies: ["SluiceDefinition", "SluiceRecords", "Sluice", "WorkerPools"]),
        .testTarget(
            name: "SluiceDashboardTests",
            dependencies: [
                "SluiceDashboard",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .testTarget(
            name: "CommandTests",
            dependencies: ["SluiceDashboard", "SluiceDefinition", "SluiceRecords", "SluiceCEL", "Sluice", "WorkerPools", .target(name: "sluice")]),
    ],
    cxxLanguageStandard: .cxx17
)

// By hand: `make fuzz`. libFuzzer brings the `main` function.
if Context.environment["SLUICE_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["SluiceDefinition", "SluiceRecords", "SluiceCEL", "Sluice"], path: "Tests/Fuzz",
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]))
}

for target in package.targets where ![.system, .plugin, .binary].contains(target.type) {
    let isC = ["CRE2", "CISAL", "CBytes", "CPrefetch", "CProcess"].contains(target.name)
    guard !isC else { continue }
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .treatAllWarnings(as: .error),
        ]
}
