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

/// What only a build with the trait needs.
let server: TargetDependencyCondition? = .when(traits: ["Server"])
let command: TargetDependencyCondition? = .when(traits: ["Command"])

let package = Package(
  name: "mkstore",
  products: [
    .library(name: "LogStore", targets: ["LogStore"]),
    .library(name: "RecordFormat", targets: ["RecordFormat"]),
    .library(name: "DiskIO", targets: ["DiskIO"]),
    .library(name: "StoreTesting", targets: ["StoreTesting"]),
    .executable(name: "mkstore", targets: ["mkstore"]),
  ],
  // A package that embeds the engine alone depends on it with `traits: []`, and then resolves
  // swift-log and swift-metrics and nothing else.
  traits: [
    .default(enabledTraits: ["Command"]),
    .trait(name: "Server", description: "The broker for Kafka clients; needs swift-nio."),
    .trait(
      name: "Command", description: "The program mkstore, with the broker.",
      enabledTraits: ["Server"]),
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
    .target(name: "CMkstoreShims", cSettings: [.define("_GNU_SOURCE")]),
    .systemLibrary(name: "CMkstoreZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CMkstoreZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CMkstoreLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CMkstoreSnappy", providers: [.apt(["libsnappy-dev"])]),

    // The engine, lowest room first; docs/architecture.md draws the arrows.
    .target(name: "MkstoreBytes", dependencies: ["CMkstoreShims"], swiftSettings: strict),
    .target(
      name: "RecordFormat",
      dependencies: [
        "MkstoreBytes", "CMkstoreZstd", "CMkstoreZlib", "CMkstoreLZ4", "CMkstoreSnappy",
      ],
      swiftSettings: strict),
    .target(
      name: "DiskIO", dependencies: ["MkstoreBytes", "CMkstoreShims"], swiftSettings: strict),
    .target(name: "MkstoreProtocol", dependencies: ["MkstoreBytes"], swiftSettings: strict),
    .target(
      name: "LogStore",
      dependencies: [
        "MkstoreBytes", "RecordFormat", "DiskIO", "CMkstoreShims",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: strict + invariantChecks),
    .target(
      name: "StoreTesting",
      dependencies: [
        "MkstoreBytes", "DiskIO", "LogStore", "RecordFormat", "MkstoreProtocol",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "MkstoreServer",
      dependencies: [
        "MkstoreBytes", "DiskIO", "RecordFormat", "LogStore", "MkstoreProtocol",
        .product(name: "NIOCore", package: "swift-nio", condition: server),
        .product(name: "NIOPosix", package: "swift-nio", condition: server),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "mkstore",
      dependencies: [
        "MkstoreBytes", "RecordFormat", "DiskIO", "LogStore", "MkstoreServer",
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: command),
        .product(name: "UnixSignals", package: "swift-service-lifecycle", condition: command),
        .product(name: "Configuration", package: "swift-configuration", condition: command),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ArgumentParser", package: "swift-argument-parser", condition: command),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    .testTarget(
      name: "BytesTests", dependencies: ["MkstoreBytes", "CMkstoreShims"], swiftSettings: strict),
    .testTarget(
      name: "RecordFormatTests", dependencies: ["RecordFormat", "MkstoreBytes"],
      swiftSettings: strict),
    .testTarget(
      name: "DiskIOTests",
      dependencies: ["DiskIO", "StoreTesting", "MkstoreBytes", "CMkstoreShims"],
      swiftSettings: strict),
    .testTarget(
      name: "KafkaProtocolTests", dependencies: ["MkstoreProtocol"], swiftSettings: strict),
    .testTarget(
      name: "LogStoreTests",
      dependencies: [
        "LogStore", "StoreTesting", "DiskIO", "RecordFormat", "MkstoreBytes",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "KafkaServerTests",
      dependencies: [
        "MkstoreServer", "MkstoreProtocol", "LogStore", "StoreTesting", "RecordFormat", "DiskIO",
        "MkstoreBytes",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "mkstoreTests",
      dependencies: [
        "mkstore", "MkstoreServer", "LogStore", "RecordFormat", "StoreTesting",
        "MkstoreProcessTesting",
      ],
      swiftSettings: strict),
    // The built command and the example as processes of their own: killed, cut off, read by others.
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "mkstore", "MkstoreEmbedding", "MkstoreCookbook", "MkstorePowerCuts", "LogStore",
        "RecordFormat", "DiskIO", "StoreTesting",
        "MkstoreProcessTesting",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "MkstoreEmbedding", dependencies: ["LogStore"], path: "Examples/Embedding",
      swiftSettings: strict),
    .executableTarget(
      name: "MkstoreCookbook", dependencies: ["LogStore"], path: "Examples/Cookbook",
      swiftSettings: strict),
    .executableTarget(
      name: "MkstorePowerCuts", dependencies: ["LogStore", "StoreTesting"],
      path: "Examples/PowerCuts", swiftSettings: strict),
    // Rules about the repository's own files; imports nothing of the product.
    .testTarget(name: "TidyTests", dependencies: ["MkstoreProcessTesting"], swiftSettings: strict),
    // Programs that tests run as processes of their own.
    .target(
      name: "MkstoreProcessTesting", dependencies: ["CMkstoreProcessTesting"],
      path: "Tests/MkstoreProcessTesting",
      swiftSettings: strict),
    .target(name: "CMkstoreProcessTesting", path: "Tests/CMkstoreProcessTesting"),
  ]
)

// Documentation is built with a plug-in that nobody else needs to fetch (tools/test docs).
if Context.environment["MKSTORE_DOCS"] != nil {
  package.dependencies.append(
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}
