internal import LogStore
internal import Logging

/// Answers the requests of one kind for a broker. A value that is made for one request; any thread.
protocol RequestAnswers: Sendable {
  /// The broker that received the request.
  var broker: Broker { get }
}

/// Shared helpers.
extension RequestAnswers {
  var config: BrokerConfig { broker.config }
  var manager: Store { broker.manager }
  var topics: Topics { broker.topics }
  var metrics: BrokerMetrics { broker.metrics }
  var logger: Logger { broker.logger }
  var rateLimitedLog: RateLimitedLog { broker.rateLimitedLog }
  var nodeId: Int32 { broker.nodeId }
}
