internal import LogStore
internal import Logging
package import MkstoreProtocol

/// Changing topics' settings.
package struct AlterConfigsAnswers: RequestAnswers {
  package let broker: Broker

  package init(_ broker: Broker) { self.broker = broker }

  /// A client's changes of one topic's or broker's settings.
  private struct Alteration {
    var type: Int8
    var name: String
    var configs: [(name: String, operation: Int8, value: String?)]
    /// Whether settings that are not named get their defaults.
    var replacesAll: Bool
  }

  private typealias Refusal = (code: ErrorCode, message: String)

  private static let topicResource: Int8 = 2
  private static let brokerResource: Int8 = 4
  private static let setOperation: Int8 = 0
  private static let deleteOperation: Int8 = 1
  private static let appendOperation: Int8 = 2

  /// Changes single settings of topics, at once; durable once answered.
  package func incrementalAlterConfigs(
    _ request: IncrementalAlterConfigsRequest
  ) -> IncrementalAlterConfigsResponse {
    let asked = request.resources.map { resource in
      Alteration(
        type: resource.resourceType, name: resource.resourceName,
        configs: resource.configs.map { ($0.name, $0.configOperation, $0.value) },
        replacesAll: false)
    }
    return .with { response in
      response.responses = refusals(of: asked, request.validateOnly).map { alteration, refusal in
        .with {
          $0.resourceType = alteration.type
          $0.resourceName = alteration.name
          $0.errorCode = refusal?.code ?? .none
          $0.errorMessage = refusal?.message
        }
      }
    }
  }

  /// Replaces all settings of topics, at once; durable once answered.
  package func alterConfigs(_ request: AlterConfigsRequest) -> AlterConfigsResponse {
    let asked = request.resources.map { resource in
      Alteration(
        type: resource.resourceType, name: resource.resourceName,
        configs: resource.configs.map { ($0.name, Self.setOperation, $0.value) },
        replacesAll: true)
    }
    return .with { response in
      response.responses = refusals(of: asked, request.validateOnly).map { alteration, refusal in
        .with {
          $0.resourceType = alteration.type
          $0.resourceName = alteration.name
          $0.errorCode = refusal?.code ?? .none
          $0.errorMessage = refusal?.message
        }
      }
    }
  }

  /// Makes the changes, unless they are only validated; nil: done.
  private func refusals(
    of asked: [Alteration], _ validateOnly: Bool
  ) -> [(Alteration, Refusal?)] {
    var counts: [Int8: [String: Int]] = [:]
    for alteration in asked {
      counts[alteration.type, default: [:]][alteration.name, default: 0] += 1
    }
    return asked.map { alteration in
      if counts[alteration.type]?[alteration.name] != 1 {
        return (alteration, (.invalidRequest, "each resource must appear at most once"))
      }
      return (alteration, malformed(alteration) ?? alter(alteration, validateOnly))
    }
  }

  /// Errors that Kafka's broker detects before it looks for the topic.
  private func malformed(_ asked: Alteration) -> Refusal? {
    let names = asked.configs.map(\.name)
    if Set(names).count < names.count {
      return (.invalidRequest, "a setting is named twice")
    }
    let missing = asked.configs.filter { $0.operation != Self.deleteOperation && $0.value == nil }
    if !missing.isEmpty {
      let list = missing.map(\.name).joined(separator: ", ")
      return (.invalidRequest, "a value is missing for: \(list)")
    }
    if let odd = asked.configs.first(where: { !(0...3).contains($0.operation) }) {
      return (.invalidRequest, "\(odd.name): \(odd.operation) is not an operation on a setting")
    }
    switch asked.type {
    case Self.topicResource: return nil
    case Self.brokerResource:
      guard ["", "\(nodeId)"].contains(asked.name) else {
        return (
          .invalidRequest, "unexpected broker id, expected \(nodeId), but received \(asked.name)"
        )
      }
      return (
        .invalidRequest,
        "settings of the broker cannot be changed while it runs: "
          + "\(names.joined(separator: ", ")); set them where it is started"
      )
    default:
      return (.invalidRequest, "resources of type \(asked.type) have no settings here")
    }
  }

  /// In Kafka's order: the name, the settings, then whether the topic exists.
  private func alter(_ asked: Alteration, _ validateOnly: Bool) -> Refusal? {
    if asked.name.isEmpty {
      return (.invalidRequest, "default settings of topics cannot be altered")
    }
    do throws(TopicPartitionError) {
      try TopicPartition.check(topic: asked.name)
    } catch {
      return (.invalidTopicException, "\(error)")
    }
    let topic = topics.named(asked.name)
    do throws(LogError) {
      let overrides = try overrides(asked, of: topic?.logWithSettings)
      guard let topic else {
        return (.unknownTopicOrPartition, "the topic '\(asked.name)' does not exist")
      }
      if let partition = topic.offline.min() {
        return (
          .kafkaStorageError,
          "partition \(partition) could not be opened; repair it and restart the server first"
        )
      }
      if validateOnly { return nil }
      try manager.alterTopicBlocking(
        asked.name, overrides,
        confirmsPolicy: asked.configs.contains { Self.policySettings.contains($0.name) })
      logger.info(
        "topic altered",
        metadata: [
          "topic": "\(asked.name)", "settings": "\(asked.configs.map(\.name).sorted())",
        ])
      return nil
    } catch {
      return (ErrorCode(error), "\(error)")
    }
  }

  /// Settings that say what may be deleted: naming one confirms the policy.
  private static let policySettings: Set<String> = [
    "retention.ms", "retention.bytes", "cleanup.policy",
  ]

  private func overrides(_ asked: Alteration, of log: Log?) throws(LogError) -> TopicConfig {
    let base = manager.config.log
    let earlier = log?.overrides ?? TopicConfig()
    if asked.replacesAll {
      let values = asked.configs.map { ($0.name, $0.value ?? "") }
      let overrides = try TopicConfig(Dictionary(values) { first, _ in first })
      try overrides.checkImplemented(over: base, since: earlier)
      return overrides
    }
    // Unreadable settings would be lost.
    if let fault = log?.settingsFault { throw fault }
    var changes: [(name: String, change: TopicConfig.Change)] = []
    for config in asked.configs {
      let value = config.value ?? ""
      switch config.operation {
      case Self.setOperation: changes.append((config.name, .set(value)))
      case Self.deleteOperation: changes.append((config.name, .delete))
      case Self.appendOperation: changes.append((config.name, .append(value)))
      // The only other operation that is accepted.
      default: changes.append((config.name, .subtract(value)))
      }
    }
    return try earlier.changed(by: changes, over: base)
  }
}
