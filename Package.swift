// swift-tools-version: 6.2
import PackageDescription

/// One strict setting for every target: what the compiler can check, people need not.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// The dear checks of invariants (CONTRIBUTING.md#invariants): in debug builds, unless
/// MKSTORE_INVARIANTS=0; everywhere with MKSTORE_INVARIANTS=1.
let invariantChecks: [SwiftSetting] =
  switch Context.environment["MKSTORE_INVARIANTS"] {
  case "0": []
  case "1": [.define("CHECKED_INVARIANTS")]
  default: [.define("CHECKED_INVARIANTS", .when(configuration: .debug))]
  }

let package = Package(
  name: "mkstore",
  products: [
    .library(name: "LogStore", targets: ["LogStore"]),
    .library(name: "RecordFormat", targets: ["RecordFormat"]),
    .library(name: "DiskIO", targets: ["DiskIO"]),
    .library(name: "StoreTesting", targets: ["StoreTesting"]),
    .executable(name: "mkstore", targets: ["mkstore"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
  ],
  targets: [
    // The system's libraries and what Swift cannot import by itself.
    .target(name: "CShims", cSettings: [.define("_GNU_SOURCE")]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"])]),

    // The engine, lowest room first; docs/architecture.md draws the arrows.
    .target(name: "Bytes", dependencies: ["CShims"], swiftSettings: strict),
    .target(
      name: "RecordFormat", dependencies: ["Bytes", "CZstd", "CZlib", "CLZ4", "CSnappy"],
      swiftSettings: strict),
    .target(name: "DiskIO", dependencies: ["Bytes", "CShims"], swiftSettings: strict),
    .target(name: "KafkaProtocol", dependencies: ["Bytes"], swiftSettings: strict),
    .target(
      name: "LogStore",
      dependencies: [
        "Bytes", "RecordFormat", "DiskIO", "CShims",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: strict + invariantChecks),
    .target(
      name: "StoreTesting",
      dependencies: [
        "Bytes", "DiskIO", "LogStore", "RecordFormat", "KafkaProtocol",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "KafkaServer",
      dependencies: [
        "Bytes", "DiskIO", "RecordFormat", "LogStore", "KafkaProtocol",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "mkstore",
      dependencies: [
        "Bytes", "RecordFormat", "DiskIO", "LogStore", "KafkaServer",
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    .testTarget(name: "BytesTests", dependencies: ["Bytes", "CShims"], swiftSettings: strict),
    .testTarget(
      name: "RecordFormatTests", dependencies: ["RecordFormat", "Bytes"], swiftSettings: strict),
    .testTarget(
      name: "DiskIOTests", dependencies: ["DiskIO", "StoreTesting", "Bytes", "CShims"],
      swiftSettings: strict),
    .testTarget(
      name: "KafkaProtocolTests", dependencies: ["KafkaProtocol"], swiftSettings: strict),
    .testTarget(
      name: "LogStoreTests",
      dependencies: [
        "LogStore", "StoreTesting", "DiskIO", "RecordFormat", "Bytes",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "KafkaServerTests",
      dependencies: [
        "KafkaServer", "KafkaProtocol", "LogStore", "StoreTesting", "RecordFormat", "DiskIO",
        "Bytes",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "mkstoreTests",
      dependencies: [
        "mkstore", "KafkaServer", "LogStore", "RecordFormat", "StoreTesting", "ProcessTesting",
      ],
      swiftSettings: strict),
    // The built command and the example as processes of their own: killed, cut off, read by others.
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "mkstore", "Embedding", "PowerCuts", "LogStore", "RecordFormat", "DiskIO", "StoreTesting",
        "ProcessTesting",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "Embedding", dependencies: ["LogStore", "RecordFormat"], path: "Examples/Embedding",
      swiftSettings: strict),
    .executableTarget(
      name: "PowerCuts", dependencies: ["LogStore", "RecordFormat", "StoreTesting"],
      path: "Examples/PowerCuts", swiftSettings: strict),
    // Rules about the repository's own files; imports nothing of the product.
    .testTarget(name: "TidyTests", dependencies: ["ProcessTesting"], swiftSettings: strict),
    // Programs that tests run as processes of their own.
    .target(
      name: "ProcessTesting", dependencies: ["CProcessTesting"], path: "Tests/ProcessTesting",
      swiftSettings: strict),
    .target(name: "CProcessTesting", path: "Tests/CProcessTesting"),
  ]
)

// Documentation is built with a plug-in that nobody else needs to fetch (tools/test docs).
if Context.environment["MKSTORE_DOCS"] != nil {
  package.dependencies.append(
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}
