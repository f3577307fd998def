// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "mkstore", path: ".."),
    .package(name: "MallocCounter", path: "MallocCounter"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .target(name: "CEpoll"),
    .executableTarget(
      name: "mkstore-bench",
      dependencies: [
        "CEpoll",
        .product(name: "MallocCounter", package: "MallocCounter"),
        .product(name: "LogStore", package: "mkstore"),
        .product(name: "RecordFormat", package: "mkstore"),
        .product(name: "DiskIO", package: "mkstore"),
        // Built beside, since the server rows start it; nothing of it is linked.
        .product(name: "mkstore", package: "mkstore"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
        .enableExperimentalFeature("Lifetimes"),
      ]),
  ]
)
