// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that it becomes a shared library: the benchmarks link it, and preload it
// into the server whose allocations they count.
let package = Package(
  name: "MallocCounter",
  products: [.library(name: "MallocCounter", type: .dynamic, targets: ["CMallocCounter"])],
  targets: [.target(name: "CMallocCounter")]
)
