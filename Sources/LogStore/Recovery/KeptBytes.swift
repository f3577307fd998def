internal import DiskIO
internal import MkstoreBytes

/// Keeps a copy of what recovery cuts off a log, so that nothing is destroyed.
package enum KeptBytes {
  /// Directory in the partition's directory; Kafka looks at files only.
  package static let directoryName = ".bad"

  /// Copies `bytes` of `file` to `.bad/`, durably; bytes that the disk cannot read are
  /// `ReadAroundFile.filler` in the copy.
  ///
  /// - Returns: The copy's path; nil if the bytes are all zeros (nothing to keep) or the disk is
  ///   full: a log must open on a full disk too, and these bytes were never acknowledged.
  static func keep(
    _ bytes: Range<Int>, of file: ReadAroundFile, named name: String, in directory: LogDirectory
  ) throws(DiskError) -> String? {
    guard try !isAllZeros(bytes, of: file) else { return nil }
    return try keep(named: "\(name)@\(bytes.lowerBound)+\(bytes.count)", in: directory) {
      (copy) throws(DiskError) in
      try forEachChunk(bytes, of: file) { (chunk, position) throws(DiskError) in
        try copy.write(chunk, at: position - bytes.lowerBound)
        return true
      }
    }
  }

  /// The same with bytes that the log's file does not have; nil only if the disk is full.
  static func keep(
    _ bytes: [UInt8], at position: Int, named name: String, in directory: LogDirectory
  ) throws(DiskError) -> String? {
    try keep(named: "\(name)@\(position)+\(bytes.count)", in: directory) {
      (copy) throws(DiskError) in try copy.write(bytes.span, at: 0)
    }
  }

  private static func keep(
    named name: String, in directory: LogDirectory,
    _ write: (any DiskFile) throws(DiskError) -> Void
  ) throws(DiskError) -> String? {
    let folder = directory.path(directoryName)
    let path = "\(folder)/\(name)"
    // A crash during recovery may tear it; it is then written again. The final name is complete.
    let temporary = path + ".tmp"
    do throws(DiskError) {
      if try directory.disk.status(folder) == nil {
        try directory.disk.makeDirectory(folder)
        try directory.disk.syncDirectory(directory.path)
      }
      if try directory.disk.status(temporary) != nil { try directory.disk.remove(temporary) }
      let copy = try directory.disk.open(temporary, .create)
      try write(copy)
      try copy.sync()
      let free = try freeName(path, for: copy, in: directory)
      try directory.disk.rename(temporary, to: free)
      try directory.disk.syncDirectory(folder)
      return free
    } catch  where error.isDiskFull && !error.isFailedSync {
      if try directory.disk.status(temporary) != nil { try directory.disk.remove(temporary) }
      return nil
    }
  }

  /// Moves a whole segment's log to `.bad/` and removes its indexes; durable with the next sync of
  /// the log's directory.
  ///
  /// - Parameter stage: Of the files' names; nil for a segment in use.
  static func move(
    _ baseOffset: Int64, stage: SegmentName.Stage? = nil, in directory: LogDirectory
  ) throws(DiskError) -> String {
    func path(_ kind: SegmentName.Kind) -> String {
      directory.path(SegmentName(baseOffset, kind, stage: stage).fileName)
    }
    let folder = directory.path(directoryName)
    if try directory.disk.status(folder) == nil {
      try directory.disk.makeDirectory(folder)
      try directory.disk.syncDirectory(directory.path)
    }
    let size = try directory.disk.status(path(.log))?.size ?? 0
    let name = SegmentName(baseOffset, .log, stage: stage).fileName
    let kept = try freeName("\(folder)/\(name)@0+\(size)", for: nil, in: directory)
    try directory.disk.rename(path(.log), to: kept)
    try directory.disk.syncDirectory(folder)
    for kind in [SegmentName.Kind.index, .timeindex, .txnindex] {
      try remove(path(kind), directory.disk)
    }
    return kept
  }

  /// Removes a file, a link, or an empty directory that has its name, if it exists.
  static func remove(_ path: String, _ disk: any Disk) throws(DiskError) {
    do throws(DiskError) {
      try disk.remove(path)
    } catch {
      if error.isNotFound { return }
      guard error.isNoFile else { throw error }
      try disk.removeDirectory(path)
    }
  }

  /// A free name, or that of a copy with the same bytes: what was kept of an earlier cut at the
  /// same position stays.
  ///
  /// - Parameter copy: nil for a file that is moved, whose bytes are not compared.
  static func freeName(
    _ path: String, for copy: (any DiskFile)?, in directory: LogDirectory
  ) throws(DiskError) -> String {
    var name = path
    var number = 1
    while try directory.disk.status(name) != nil {
      if let copy, try isSame(copy, .around(try directory.disk.open(name, .read))) { return name }
      number += 1
      name = "\(path)~\(number)"
    }
    return name
  }

  private static func isSame(
    _ one: any DiskFile, _ other: ReadAroundFile
  ) throws(DiskError) -> Bool {
    let size = try one.size()
    guard try other.size() == size else { return false }
    var isSame = true
    try forEachChunk(0..<size, of: one) { (chunk, position) throws(DiskError) in
      var bytes = [UInt8](repeating: 0, count: chunk.count)
      var target = bytes.mutableSpan
      let count = try other.read(into: &target, at: position)
      isSame = count == chunk.count && chunk.indices.allSatisfy { chunk[$0] == bytes[$0] }
      return isSame
    }
    return isSame
  }

  static func isAllZeros(_ bytes: Range<Int>, of file: any DiskFile) throws(DiskError)
    -> Bool
  {
    var isZero = true
    try forEachChunk(bytes, of: file) { (chunk, _) throws(DiskError) in
      isZero = chunk.isAllZeros
      return isZero
    }
    return isZero
  }

  /// Runs `body` over the bytes until it returns false.
  private static func forEachChunk(
    _ bytes: Range<Int>, of file: any DiskFile,
    _ body: (Span<UInt8>, Int) throws(DiskError) -> Bool
  ) throws(DiskError) {
    var buffer = [UInt8](repeating: 0, count: min(max(bytes.count, 1), 1 << 20))
    var position = bytes.lowerBound
    while position < bytes.upperBound {
      let wanted = min(buffer.count, bytes.upperBound - position)
      var target = buffer.mutableSpan
      var part = target._mutatingExtracting(first: wanted)
      let count = try file.read(into: &part, at: position)
      guard count > 0, try body(buffer.span.extracting(first: count), position) else { return }
      position += count
    }
  }
}

extension Span<UInt8> {
  /// Whether no bit is set; a word at a time, since a start asks this of thousands of indexes.
  fileprivate var isAllZeros: Bool {
    var position = 0
    while position + 8 <= count {
      if loadBigEndian(UInt64.self, at: position) != 0 { return false }
      position += 8
    }
    return extracting(position..<count).indices.allSatisfy { self[position + $0] == 0 }
  }
}
