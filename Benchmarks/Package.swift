// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "mkstore", path: "..")],
  targets: [
    .target(name: "CMallocCounter"),
    .executableTarget(
      name: "mkstore-bench",
      dependencies: [
        "CMallocCounter",
        .product(name: "LogStore", package: "mkstore"),
        .product(name: "RecordFormat", package: "mkstore"),
        .product(name: "DiskIO", package: "mkstore"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
        .enableExperimentalFeature("Lifetimes"),
      ]),
  ]
)
