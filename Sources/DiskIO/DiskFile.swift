/// An open file. Positions and sizes are bytes. Every method may be called from any thread; writers
/// of overlapping ranges must order themselves.
///
/// **Durability.** What `write`, `truncate`, `allocate` and stores through a mapping changed is
/// visible at once; it survives a power cut for certain only after a later `sync` that returned.
/// Until then each 512-byte sector may independently be old, new or garbage, and the size old or
/// new. After a `sync` that *threw*, nothing written since the last good one is certain, ever: the
/// kernel may have marked the lost pages clean, so a retry proves nothing.
///
/// **What a disk may not know.** `residency`, `isAtPath`, `isLinked` and `firstHole` answer nil
/// where the disk does not tell. The caller then assumes that bytes are cold and that names and
/// bytes are there.
///
/// The file closes with its last reference.
public protocol DiskFile: AnyObject, Sendable {
  /// The path it was opened by, for messages.
  var path: String { get }

  // MARK: Content

  /// Reads until `buffer` is full or the file ends; EINTR and short reads are handled within.
  ///
  /// - Returns: Bytes read; less than `buffer.count` only at the end of the file.
  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int

  /// Writes all of `bytes`; EINTR and short writes are handled within. On an error some prefix may
  /// have been written.
  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError)

  /// Current size in bytes.
  func size() throws(DiskError) -> Int

  /// What tells the file from every other that its file system has had, a copy of it too; nil where
  /// the file system does not say when a file was made.
  func birth() throws(DiskError) -> FileBirth?

  /// Sets the size; a longer one is filled with a hole that reads as zeros.
  func truncate(to size: Int) throws(DiskError)

  /// Makes the file at least `size` bytes long with every block really there (zeros), so that no
  /// later store through a mapping can meet a full disk. Never shrinks. `ENOSPC` up front.
  func allocate(to size: Int) throws(DiskError)

  /// Where the first bytes at or after `position` are that were never written: a hole, or the
  /// file's end; `position` itself where the file ends before it. nil where the disk does not tell.
  func firstHole(from position: Int) -> Int?

  /// Maps the first `capacity` bytes, shared with the file.
  ///
  /// - Parameter capacity: May exceed the file's size; bytes at or beyond the size must not be
  ///   touched until `allocate` has brought them into being.
  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion

  // MARK: Durability

  /// Makes data and size durable (fdatasync), including stores through mappings.
  func sync() throws(DiskError)

  /// Starts writing what was changed to the disk, so that a `sync` soon after finds it done. It
  /// promises nothing, and an error shows at that `sync`. May wait for a busy disk.
  func startSync()

  /// Starts writing what was changed to the disk, where a `SharedSync` is to make it durable. An
  /// error is as final as one of `sync`.
  func writeOut() throws(DiskError)

  /// Throws where something written before was lost on its way to the disk, as `sync` would; once.
  /// After a `SharedSync`, which tells of errors but not whose.
  func checkWritten() throws(DiskError)

  // MARK: Cache

  /// How much of `range` the page cache holds; nil where the disk does not tell.
  ///
  /// - Complexity: One system call that looks at each page's entry, about 1 µs for 1 MiB.
  func residency(of range: Range<Int>) -> Residency?

  /// Tells the kernel how a range will be used; a hint that never fails.
  func advise(_ advice: ReadAdvice, at position: Int, count: Int)

  // MARK: Names

  /// Whether `path` still leads to this file, and not to nothing or to another one; nil where the
  /// disk does not tell.
  func isAtPath() -> Bool?

  /// Whether any name leads to the file, so that its bytes can be found again; nil where the disk
  /// does not tell.
  func isLinked() -> Bool?

  // MARK: End of use

  /// Lets go of the file before its last reference does, so that the disk gets the space of a
  /// deleted one back: what reads, writes or sends fails with `EISDIR` from then on. Mappings stay.
  /// A call that is under way on another thread still sees the file.
  ///
  /// - Throws: `EMFILE` where the process has no descriptor left; the file is as before then.
  func abandon() throws(DiskError)

  // MARK: Sending

  /// Sends bytes of the file to a socket, without bringing them into user space where the disk can
  /// (sendfile).
  ///
  /// - Parameters:
  ///   - socket: A connected stream socket; may be non-blocking.
  ///   - position: First byte.
  ///   - count: Bytes to send at most.
  /// - Returns: Bytes sent; fewer than `count` where a non-blocking socket is full (0: try later)
  ///   or the file ends.
  /// - Throws: `DiskError` of operation `.send`: `EPIPE` and `ECONNRESET` where the peer has gone.
  ///   The caller ignores SIGPIPE.
  func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int

  /// The file's descriptor, only for a sendfile of `range` by other code (swift-nio's); nil where
  /// the file has none, so that the bytes must be copied with `read`.
  ///
  /// - Returns: A descriptor that is open as long as this file; not to be closed.
  /// - Throws: `EIO` where the file ends before the range does: a sendfile would end there without
  ///   an error.
  func sendDescriptor(for range: Range<Int>) throws(DiskError) -> Int32?
}

/// How much of a range of a file the page cache holds, see `DiskFile.residency`.
public enum Residency: Sendable, Equatable {
  /// Every page: a read needs no disk.
  case whole
  /// Some pages.
  case part
  /// No page.
  case nothing
}

/// What a reader is about to do, see `DiskFile.advise`.
public enum ReadAdvice: Sendable {
  /// The whole range will be read from front to back.
  case sequential
  /// Reads through this handle are unrelated: read nothing ahead of them, in the whole file. Holds
  /// until `.normal`.
  case random
  /// Reading ahead is left to the system, as after opening.
  case normal
  /// The range will be needed soon: start reading it.
  case willNeed
  /// The range will not be needed again soon: its clean pages may go.
  case dontNeed
}
