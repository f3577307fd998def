/// Settings of a broker. Names in backquotes are Kafka's for the same thing.
public struct BrokerConfig: Sendable {
  /// Where clients connect.
  public var listen = Endpoint(host: "127.0.0.1", port: 9092)
  /// Address that clients are given to connect to; nil: where the broker listens.
  public var advertised: Endpoint?
  /// Address for metrics and health over HTTP; nil: none.
  public var adminListen: Endpoint?
  /// Cores the event loops are pinned to, one loop each; empty: one loop per core, unpinned.
  public var cores: [Int] = []
  /// `auto.create.topics.enable`: whether asking for a missing topic creates it, if the client
  /// wants that too.
  public var createsTopics = true
  /// `num.partitions`: partitions of a topic if the request gives no number.
  public var defaultPartitions: Int32 = 1
  /// Most partitions of one topic, and most that one request may create.
  public var topicPartitionsMax: Int32 = 10_000
  /// `socket.request.max.bytes`: largest request.
  public var requestBytesMax = 104_857_600
  /// Bytes of unfinished requests held over all connections.
  public var bufferedRequestBytesMax = 512 << 20
  /// `max.connections`: most connections at once.
  public var connectionsMax = 4096
  /// Most connections at once to the port for metrics and health.
  package var adminConnectionsMax = 64
  /// `connections.max.idle.ms`: a connection without requests is closed after this long.
  public var connectionIdleMaxMs: Int64 = 600_000
  /// A client that reads nothing of an answer for this long is disconnected.
  public var stalledWriteMaxMs: Int64 = 60_000
  /// A client that requests nothing for this long keeps no segment open.
  public var idleReadersMaxMs: Int64 = 30_000
  /// How often connections are checked against these limits.
  package var sweepMs: Int64 = 5_000
  /// `fetch.max.bytes`: most bytes of one answer, whatever the client requests; the first batch is
  /// sent whole anyway.
  public var fetchBytesMax = 57_671_680
  /// Answers with up to this many bytes of records are copied into one send; larger ones are sent
  /// by sendfile (docs/serving.md#answers).
  public var copiedAnswerBytesMax = 64 << 10
  /// Pauses before a log whose write or sync failed is opened again, milliseconds: the first, and
  /// the longest if that does not succeed.
  var reopenPausesMs: ClosedRange<Int64> = 1_000...30_000
  /// How long a graceful stop waits for unfinished answers.
  public var drainMaxMs: Int64 = 10_000

  /// The defaults.
  public init() {}
}
