import LogStore

/// The content of a file, by its name.
enum DumpKind: Equatable {
  case log(baseOffset: Int64)
  case index(baseOffset: Int64)
  case timeindex(baseOffset: Int64)
  case txnindex(baseOffset: Int64)
  case snapshot
  /// Text of lines; the type is for JSON.
  case lines(type: String)
  /// `mkstore.mark`.
  case mark

  /// nil for an unknown name. A `.log` file of any name is read from offset 0 on.
  init?(fileName: String) {
    if let name = SegmentName(fileName) {
      switch name.kind {
      case .log: self = .log(baseOffset: name.baseOffset)
      case .index: self = .index(baseOffset: name.baseOffset)
      case .timeindex: self = .timeindex(baseOffset: name.baseOffset)
      case .txnindex: self = .txnindex(baseOffset: name.baseOffset)
      case .snapshot: self = .snapshot
      }
      return
    }
    switch fileName {
    case LeaderEpochCheckpoint.name: self = .lines(type: "leaderEpochs")
    case PartitionMetadata.name: self = .lines(type: "partitionMetadata")
    case MetaProperties.name: self = .lines(type: "metaProperties")
    case CleanShutdownFile.name: self = .lines(type: "cleanShutdown")
    case RecoveryHistory.fileName: self = .lines(type: "history")
    case TopicConfigFile.name: self = .lines(type: "topicSettings")
    case DurableMark.fileName: self = .mark
    default:
      if OffsetCheckpoint.Name(rawValue: fileName) != nil {
        self = .lines(type: "offsetCheckpoint")
      } else if fileName.hasSuffix(".log") {
        self = .log(baseOffset: 0)
      } else {
        return nil
      }
    }
  }
}
