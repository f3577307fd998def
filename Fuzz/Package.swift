// swift-tools-version: 6.2
import PackageDescription

// Fuzz targets, apart from the package because they only link with libFuzzer:
//
//   swift build -c release --sanitize fuzzer
//   SWIFT_BACKTRACE=enable=no .build/release/FuzzBatch corpus/batch -max_total_time=60
//   SWIFT_BACKTRACE=enable=no .build/release/FuzzLogDirectory corpus/log-directory
//   SWIFT_BACKTRACE=enable=no .build/release/FuzzLogUse corpus/log-use
//   SWIFT_BACKTRACE=enable=no .build/release/FuzzRequest corpus/request
//
// A crash writes its input to a file `crash-…`; it goes to the corpus with the fix.

let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "mkstore", path: "..", traits: [])],
  targets: [
    .executableTarget(
      name: "FuzzBatch",
      dependencies: [.product(name: "RecordFormat", package: "mkstore")],
      swiftSettings: [.swiftLanguageMode(.v6), .strictMemorySafety()]),
    .executableTarget(
      name: "FuzzLogDirectory",
      dependencies: [.product(name: "StoreTesting", package: "mkstore")],
      swiftSettings: [.swiftLanguageMode(.v6), .strictMemorySafety()]),
    .executableTarget(
      name: "FuzzLogUse",
      dependencies: [.product(name: "StoreTesting", package: "mkstore")],
      swiftSettings: [.swiftLanguageMode(.v6), .strictMemorySafety()]),
    .executableTarget(
      name: "FuzzRequest",
      dependencies: [.product(name: "StoreTesting", package: "mkstore")],
      swiftSettings: [.swiftLanguageMode(.v6), .strictMemorySafety()]),
  ]
)
