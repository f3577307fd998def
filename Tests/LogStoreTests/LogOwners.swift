@testable import LogStore

/// The owners of what a log that is appended to has.
extension Log {
  var writer: Writer { writing!.writer }
  var pipeline: FlushPipeline { writing!.pipeline }
  var appender: Appender { writing!.appender }
}
