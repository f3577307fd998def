internal import LogStore
internal import MkstoreProtocol

/// One partition of a fetch: what is asked for, and what was found.
struct FetchPart {
  /// Index of the topic in the request.
  var topic: Int
  /// What is asked for.
  var asked: FetchRequest.Topic.Partition
  /// The log and this client's cursor in it; nil where there is no such partition.
  var source: (log: Log, reader: LogReader)?
  /// A fetch that waits looks again once the log has acknowledged more than this: the end that was
  /// read up to, or the greatest number where no append brings more.
  var awaitedEnd: Int64 = 0
  /// What the client is told.
  var answer = FetchResponse.Topic.Partition()
  /// What was found.
  var records: FileRecords?
}
