internal import Logging

/// Accepts the damage of one log (`StoreConfig.acceptsLosses`).
final class LossAcceptanceJob: Housekeeper.Job {
  private let topicPartition: TopicPartition
  private weak let manager: Store?

  init(_ topicPartition: TopicPartition, _ manager: Store) {
    self.topicPartition = topicPartition
    self.manager = manager
  }

  func step() -> Housekeeper.Progress {
    guard let manager, let log = manager.log(topicPartition) else { return .done }
    do throws(LogError) {
      _ = try log.acceptLossesBlocking()
      return .done
    } catch {
      manager.context.rateLimitedLog.log(
        .error, cause: "accepting losses of \(topicPartition)",
        "damage could not be accepted; consumers stay before it until it is found again",
        metadata: ["log": "\(topicPartition)", "error": "\(error)"])
      return .done
    }
  }
}

extension LossAcceptanceJob {
  /// Accepts the damage that the opening of `logs` found, and later the damage that reads find, on
  /// the housekeeper's thread.
  static func begin(_ manager: Store, _ logs: [Log]) {
    for log in logs where !log.recovery.damage.isEmpty { schedule(log.topicPartition, manager) }
    manager.context.damage.set { [weak manager] topicPartition in
      if let manager { schedule(topicPartition, manager) }
    }
  }

  private static func schedule(_ topicPartition: TopicPartition, _ manager: Store) {
    // After a delay: if one range is damaged, others of the log may be found soon after.
    manager.context.housekeeper.schedule(
      LossAcceptanceJob(topicPartition, manager), afterMs: delayMs)
  }

  private static let delayMs: Int64 = 1_000
}
