/// The fields of one API's request.
public enum RequestBody: Sendable, Equatable {
  case produce(ProduceRequest)
  case fetch(FetchRequest)
  case listOffsets(ListOffsetsRequest)
  case metadata(MetadataRequest)
  case findCoordinator(FindCoordinatorRequest)
  case apiVersions(ApiVersionsRequest)
  case createTopics(CreateTopicsRequest)
  case deleteTopics(DeleteTopicsRequest)
  case deleteRecords(DeleteRecordsRequest)
  case initProducerId(InitProducerIdRequest)
  case offsetForLeaderEpoch(OffsetForLeaderEpochRequest)
  case describeConfigs(DescribeConfigsRequest)
  case alterConfigs(AlterConfigsRequest)
  case describeLogDirs(DescribeLogDirsRequest)
  case createPartitions(CreatePartitionsRequest)
  case incrementalAlterConfigs(IncrementalAlterConfigsRequest)
  case describeCluster(DescribeClusterRequest)

  /// The API whose request this is.
  public var api: ApiKey {
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
    }
  }
}

extension RequestBody {
  /// Reads the body of the request that `header` announces.
  static func decode(
    _ header: RequestHeader, _ reader: inout FieldReader
  ) throws(ProtocolError) -> RequestBody {
    switch header.api {
    case .produce: .produce(try reader.structure())
    case .fetch: .fetch(try reader.structure())
    case .listOffsets: .listOffsets(try reader.structure())
    case .metadata: .metadata(try reader.structure())
    case .findCoordinator: .findCoordinator(try reader.structure())
    case .apiVersions: .apiVersions(try reader.structure())
    case .createTopics: .createTopics(try reader.structure())
    case .deleteTopics: .deleteTopics(try reader.structure())
    case .deleteRecords: .deleteRecords(try reader.structure())
    case .initProducerId: .initProducerId(try reader.structure())
    case .offsetForLeaderEpoch: .offsetForLeaderEpoch(try reader.structure())
    case .describeConfigs: .describeConfigs(try reader.structure())
    case .alterConfigs: .alterConfigs(try reader.structure())
    case .describeLogDirs: .describeLogDirs(try reader.structure())
    case .createPartitions: .createPartitions(try reader.structure())
    case .incrementalAlterConfigs: .incrementalAlterConfigs(try reader.structure())
    case .describeCluster: .describeCluster(try reader.structure())
    default: throw .unsupportedApi(header)
    }
  }
}

extension RequestBody: Walked {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    switch self {
    case .produce(var body): try body.code(&coder)
    case .fetch(var body): try body.code(&coder)
    case .listOffsets(var body): try body.code(&coder)
    case .metadata(var body): try body.code(&coder)
    case .findCoordinator(var body): try body.code(&coder)
    case .apiVersions(var body): try body.code(&coder)
    case .createTopics(var body): try body.code(&coder)
    case .deleteTopics(var body): try body.code(&coder)
    case .deleteRecords(var body): try body.code(&coder)
    case .initProducerId(var body): try body.code(&coder)
    case .offsetForLeaderEpoch(var body): try body.code(&coder)
    case .describeConfigs(var body): try body.code(&coder)
    case .alterConfigs(var body): try body.code(&coder)
    case .describeLogDirs(var body): try body.code(&coder)
    case .createPartitions(var body): try body.code(&coder)
    case .incrementalAlterConfigs(var body): try body.code(&coder)
    case .describeCluster(var body): try body.code(&coder)
    }
  }
}
