package import DiskIO

/// Identity of a store: which cluster, node and directory it is (`meta.properties` in its
/// directory).
///
/// Unknown keys are kept, in their order.
package struct MetaProperties: Sendable, Equatable {
  /// The file's name.
  package static let name = "meta.properties"
  /// Largest file that is read.
  package static let bytesMax = 1 << 16

  /// Every property, in the file's order.
  package var properties: JavaProperties

  /// Wraps properties; nothing is checked.
  package init(_ properties: JavaProperties) {
    self.properties = properties
  }

  /// A new store's identity: version 1, with fresh cluster and directory ids.
  package static func fresh(
    nodeId: Int32 = 1, using generator: inout some RandomNumberGenerator
  ) -> MetaProperties {
    var properties = JavaProperties()
    properties["node.id"] = String(nodeId)
    properties["directory.id"] = Uuid.random(using: &generator).description
    properties["version"] = "1"
    properties["cluster.id"] = Uuid.random(using: &generator).description
    return MetaProperties(properties)
  }

  /// Reads a store's file; nil if there is none.
  package static func read(
    _ disk: any Disk, directory: String
  ) throws(CheckpointError) -> MetaProperties? {
    let path = "\(directory)/\(name)"
    guard let bytes = try SmallFile.read(disk, path, limit: bytesMax) else { return nil }
    return try MetaProperties(bytes, path: path)
  }

  /// Reads a file's content; `path` is for messages. Refuses versions other than 0 and 1 and
  /// invalid numbers and ids.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    properties = try JavaProperties(bytes, path: path)
    guard version == 0 || version == 1 else {
      let text = properties["version"].map { "'\($0)'" } ?? "missing"
      throw .unreadable(path: path, line: nil, what: "version \(text), expected 0 or 1")
    }
    for key in ["node.id", "broker.id"] {
      if let text = properties[key], Int32(text) == nil {
        throw .unreadable(path: path, line: nil, what: "\(key) '\(text)' is not a number")
      }
    }
    if let text = properties["directory.id"], Uuid(text) == nil {
      throw .unreadable(path: path, line: nil, what: "directory.id '\(text)' is not an id")
    }
  }

  /// Replaces a store's file, durably.
  package func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try SmallFile.writeAtomically(
      disk, directory: directory, name: Self.name, properties.encoded)
  }

  /// 1, or 0 in a directory of a broker older than KRaft.
  package var version: Int? { properties["version"].flatMap { Int($0) } }

  /// Any text; Kafka's own are ids of 22 characters.
  package var clusterId: String? { properties["cluster.id"] }

  /// `node.id`, or `broker.id` in version 0.
  package var nodeId: Int32? {
    properties[version == 0 ? "broker.id" : "node.id"].flatMap { Int32($0) }
  }
}
