/// Which versions of one API this package reads and writes.
///
/// The ranges are those of docs/protocol.md, chosen so that old clients keep their features; each
/// is in the file of its API.
public struct ApiSupport: Sendable, Equatable {
  /// The versions offered, lowest to highest.
  public let versions: ClosedRange<Int16>

  /// The first version with compact lengths and tagged fields; above `versions` when none is.
  public let flexibleFrom: Int16

  /// Whether `version` uses compact lengths and tagged fields.
  public func isFlexible(_ version: Int16) -> Bool { version >= flexibleFrom }
}

extension ApiKey {
  /// The versions of this API, or nil for an API that this package does not know the fields of.
  public var support: ApiSupport? {
    switch self {
    case .produce: .produce
    case .fetch: .fetch
    case .listOffsets: .listOffsets
    case .metadata: .metadata
    case .findCoordinator: .findCoordinator
    case .apiVersions: .apiVersions
    case .createTopics: .createTopics
    case .deleteTopics: .deleteTopics
    case .deleteRecords: .deleteRecords
    case .initProducerId: .initProducerId
    case .offsetForLeaderEpoch: .offsetForLeaderEpoch
    case .describeConfigs: .describeConfigs
    case .alterConfigs: .alterConfigs
    case .describeLogDirs: .describeLogDirs
    case .createPartitions: .createPartitions
    case .incrementalAlterConfigs: .incrementalAlterConfigs
    case .describeCluster: .describeCluster
    default: nil
    }
  }

  /// The APIs this package reads and writes, by rising key: what an ApiVersions answer lists.
  public static let supported: [ApiKey] = allCases.filter { $0.support != nil }
}
