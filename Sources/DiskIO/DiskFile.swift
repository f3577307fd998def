/// An open file. Positions and sizes are bytes. Every method may be called from any thread; writers
/// of overlapping ranges must order themselves.
///
/// **Durability.** What `write`, `truncate`, `allocate` and stores through a mapping changed is
/// visible at once; it survives a power cut for certain only after a later `sync` that returned.
/// Until then each 512-byte sector may independently be old, new or garbage, and the size old or
/// new. After a `sync` that *threw*, nothing written since the last good one is certain, ever: the
/// kernel may have marked the lost pages clean, so a retry proves nothing.
///
/// The file closes with its last reference.
public protocol DiskFile: AnyObject, Sendable {
  /// The path it was opened by, for messages.
  var path: String { get }

  /// The kernel's descriptor, for `sendfile`; nil where there is none (simulation).
  var descriptor: Int32? { get }

  /// Reads until `buffer` is full or the file ends; EINTR and short reads are handled within.
  ///
  /// - Returns: Bytes read; less than `buffer.count` only at the end of the file.
  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int

  /// Writes all of `bytes`; EINTR and short writes are handled within. On an error some prefix may
  /// have been written.
  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError)

  /// Current size in bytes.
  func size() throws(DiskError) -> Int

  /// What tells the file from every other that its file system has had, a copy of it too; nil (the
  /// default) where the file system does not say when a file was made.
  func birth() throws(DiskError) -> FileBirth?

  /// Sets the size; a longer one is filled with a hole that reads as zeros.
  func truncate(to size: Int) throws(DiskError)

  /// Makes the file at least `size` bytes long with every block really there (zeros), so that no
  /// later store through a mapping can meet a full disk. Never shrinks. `ENOSPC` up front.
  func allocate(to size: Int) throws(DiskError)

  /// Makes data and size durable (fdatasync), including stores through mappings.
  func sync() throws(DiskError)

  /// Starts bringing what was written to the disk, where a `SharedSync` is to make it durable. An
  /// error is as final as one of `sync`. The default does nothing: the sync does it all.
  func writeOut() throws(DiskError)

  /// Throws where something written before was lost on its way to the disk, as `sync` would; once.
  /// After a `SharedSync`, which tells of errors but not whose. The default knows of none.
  func checkWritten() throws(DiskError)

  /// Maps the first `capacity` bytes, shared with the file.
  ///
  /// - Parameter capacity: May exceed the file's size; bytes at or beyond the size must not be
  ///   touched until `allocate` has brought them into being.
  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion

  /// Tells the kernel how a range will be used; a hint that never fails.
  func advise(_ advice: ReadAdvice, at position: Int, count: Int)
}

extension DiskFile {
  /// Not known.
  public func birth() throws(DiskError) -> FileBirth? { nil }
  /// Nothing: `sync` does it all.
  public func writeOut() throws(DiskError) {}
  /// Nothing: none is known.
  public func checkWritten() throws(DiskError) {}
}

/// What a reader is about to do, see `DiskFile.advise`.
public enum ReadAdvice: Sendable {
  /// The whole range will be read from front to back.
  case sequential
  /// Reads through this handle stand by themselves: nothing is to be read ahead of them, wherever
  /// they are. Holds until `.normal`.
  case random
  /// Reading ahead is left to the system, as after opening.
  case normal
  /// The range will be needed soon: start reading it.
  case willNeed
  /// The range will not be needed again soon: its clean pages may go.
  case dontNeed
}
