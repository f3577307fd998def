import DiskIO
import LogStore

/// One run of `dump`: consecutive files, each by the kind that its name gives.
struct DumpRun: ~Copyable {
  let format: DumpFormat
  let isDeep: Bool
  let encoding: ByteEncoding
  var out = OutputBuffer()
  /// Whether anything was damaged so far.
  var hasDamage = false

  init(format: DumpFormat, isDeep: Bool, encoding: ByteEncoding) {
    self.format = format
    self.isDeep = isDeep
    self.encoding = encoding
  }

  /// Prints all files.
  ///
  /// - Throws: `.damageReported` if one was damaged.
  mutating func run(_ paths: [String]) throws(CommandFailure) {
    for path in paths {
      do throws(CommandFailure) {
        try dump(path)
      } catch {
        // Earlier output comes before the message.
        try out.flush()
        throw error
      }
    }
    try out.flush()
    if hasDamage { throw CommandFailure.damageReported }
  }

  private mutating func dump(_ path: String) throws(CommandFailure) {
    let disk = PosixDisk()
    let status = try withDiskErrors { () throws(DiskError) in try disk.status(path) }
    guard let status else { throw CommandFailure.failure("\(path) does not exist; check the path") }
    guard status.kind == .file else {
      throw CommandFailure.failure(
        "\(path) is not a file; name the files to dump, such as \(path)/*.log")
    }
    guard let kind = DumpKind(fileName: PathText.lastComponent(path)) else {
      throw CommandFailure.failure(
        "\(path): unknown kind of file; dump reads .log, .index, .timeindex, .txnindex and "
          + ".snapshot files and the checkpoints of a store")
    }
    if format == .kafka { out.line("Dumping \(path)") }
    switch kind {
    case .log(let baseOffset): try dumpLog(path, baseOffset, disk)
    case .index(let baseOffset): try dumpOffsetIndex(path, baseOffset, disk)
    case .timeindex(let baseOffset): try dumpTimeIndex(path, baseOffset, disk)
    case .txnindex(let baseOffset): try dumpTransactionIndex(path, baseOffset, disk)
    case .snapshot: try dumpSnapshot(path, disk)
    case .lines(let type): try dumpLines(path, type, disk)
    case .mark: try dumpMark(path, disk)
    }
    try out.check()
  }
}
