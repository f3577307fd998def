package import LogStore
package import MkstoreProtocol
package import RecordFormat

extension ErrorCode {
  /// Kafka's error for an error of the engine.
  package init(_ error: LogError) {
    self =
      switch error.kind {
      case .offsetOutOfRange, .insideBatch: .offsetOutOfRange
      case .corrupt: .corruptMessage
      case .invalidBatch(let reason): ErrorCode(reason)
      case .invalidTimestamp: .invalidTimestamp
      case .outOfOrderSequence: .outOfOrderSequenceNumber
      case .invalidProducerEpoch: .invalidProducerEpoch
      case .invalidTransactionState: .invalidTxnState
      case .recordTooLarge: .messageTooLarge
      // To be sent again, with the same sequences.
      case .readOnly, .poisoned, .diskFull, .disk, .locked, .earlierBatchRefused: .kafkaStorageError
      case .closed: .notLeaderOrFollower
      case .notFound: .unknownTopicOrPartition
      case .alreadyExists: .topicAlreadyExists
      case .invalidName: .invalidTopicException
      // An error that clients do not retry, and whose name explains it; they would retry a storage
      // error until they give up without a reason.
      case .settingsUnreadable, .invalidConfiguration: .invalidConfig
      // Of programs that embed the engine alone.
      case .endOffsetMismatch, .cancelled: .unknownServerError
      }
  }

  /// Kafka's error for a producer's batch that is refused for this reason.
  package init(_ error: BatchError) {
    self =
      switch error {
      case .checksum: .corruptMessage
      case .tooLarge: .messageTooLarge
      default: .invalidRecord
      }
  }
}
