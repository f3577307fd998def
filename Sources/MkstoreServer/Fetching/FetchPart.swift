internal import LogStore
internal import MkstoreProtocol

/// One partition of a fetch: the request, and what was found.
struct FetchPart {
  /// Index of the topic in the request.
  var topic: Int
  /// The request.
  var asked: FetchRequest.Topic.Partition
  /// The log and this client's cursor in it; nil if there is no such partition.
  var source: (log: Log, reader: LogReader)?
  /// A waiting fetch reads again once the log has acknowledged more than this: the end up to which
  /// it was read, or the greatest number if appends cannot bring more.
  var awaitedEnd: Int64 = 0
  /// The client's answer.
  var answer = FetchResponse.Topic.Partition()
  /// What was found.
  var records: FileRecords?
}
