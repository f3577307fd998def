// swift-tools-version: 6.2
import PackageDescription

// A package that embeds the engine alone, and has targets of its own with everyday names:
// `tools/test outside` copies it beside the repository, builds it, and looks at what it resolved.
let package = Package(
  name: "Outside",
  dependencies: [.package(name: "mkstore", path: "mkstore", traits: [])],
  targets: [
    .target(name: "Bytes"),
    .target(name: "CZlib"),
    .executableTarget(
      name: "Outside",
      dependencies: ["Bytes", "CZlib", .product(name: "LogStore", package: "mkstore")]),
  ]
)
