/// An open file. Positions and sizes are bytes. Every method may be called from any thread; writers
/// of overlapping ranges must order themselves.
///
/// ```swift
/// let file = try disk.open("data/a", .readWrite)
/// try file.write(bytes.span, at: file.size())  // at its end
/// try file.sync()
/// var buffer = [UInt8](repeating: 0, count: 4096)
/// var span = buffer.mutableSpan
/// let count = try file.read(into: &span, at: 0)
/// ```
///
/// **Durability.** Changes by `write`, `truncate`, `allocate` and stores through a mapping are
/// visible at once, and certain to survive a power cut only after a later `sync` that returned.
/// Until then each 512-byte sector may independently be old, new or garbage, and the size old or
/// new. After a `sync` that *threw*, nothing written since the last successful one is ever certain:
/// the kernel may have marked the lost pages clean, so a retry proves nothing.
///
/// **What a disk may not know.** `residency`, `isAtPath`, `isLinked` and `firstHole` answer nil if
/// the disk does not know. The caller then assumes that bytes are cold and that names and bytes
/// exist.
///
/// The file closes with its last reference.
public protocol DiskFile: AnyObject, Sendable {
  /// The path it was opened by, for messages.
  var path: String { get }

  // MARK: Content

  /// Reads until `buffer` is full or the file ends; handles EINTR and short reads.
  ///
  /// - Returns: Bytes read; less than `buffer.count` only at the end of the file.
  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int

  /// Writes all of `bytes`; handles EINTR and short writes. On an error some prefix may have been
  /// written.
  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError)

  /// Current size in bytes.
  func size() throws(DiskError) -> Int

  /// Distinguishes the file from every other one that its file system has had, including copies;
  /// nil if the file system reports no birth times.
  func birth() throws(DiskError) -> FileBirth?

  /// Sets the size; a longer one is filled with a hole that reads as zeros.
  func truncate(to size: Int) throws(DiskError)

  /// Makes the file at least `size` bytes long with every block allocated (zeros), so that no later
  /// store through a mapping can meet a full disk. Never shrinks. `ENOSPC` up front.
  func allocate(to size: Int) throws(DiskError)

  /// Position of the first bytes at or after `position` that were never written: a hole, or the
  /// file's end; `position` itself if the file ends before it. nil if the disk does not know.
  func firstHole(from position: Int) -> Int?

  /// Maps the first `capacity` bytes, shared with the file.
  ///
  /// - Parameter capacity: May exceed the file's size; bytes at or beyond the size must not be
  ///   accessed until `allocate` has created them.
  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion

  // MARK: Durability

  /// Makes data and size durable (fdatasync), including stores through mappings.
  func sync() throws(DiskError)

  /// Starts writing changes to the disk, so that a `sync` soon after is fast. It guarantees
  /// nothing, and an error shows at that `sync`. May wait for a busy disk.
  func startSync()

  /// Writes changes to the disk and waits for it, in small pieces, so that other writes come in
  /// between. It makes nothing durable: a `sync` or `SharedSync` after it has little left to write.
  /// An error is as final as one of `sync`.
  func writeOut() throws(DiskError)

  /// Throws if something written before was lost on its way to the disk, as `sync` would; once. For
  /// use after a `SharedSync`, which reports errors but not for which file.
  func checkWritten() throws(DiskError)

  // MARK: Cache

  /// How much of `range` the page cache holds; nil if the disk does not know.
  ///
  /// - Complexity: One system call that looks at each page's entry, about 1 µs for 1 MiB.
  func residency(of range: Range<Int>) -> Residency?

  /// Tells the kernel how a range will be used; a hint that never fails.
  func advise(_ advice: ReadAdvice, at position: Int, count: Int)

  // MARK: Names

  /// Whether `path` still leads to this file, and not to another one or to none; nil if the disk
  /// does not know.
  func isAtPath() -> Bool?

  /// Whether the file has any name, so that its bytes can be found again; nil if the disk does not
  /// know.
  func isLinked() -> Bool?

  // MARK: End of use

  /// Closes the file before its last reference is gone, so that the disk gets the space of a
  /// deleted one back: reads, writes and sends then fail with `EISDIR`. Mappings stay. A call in
  /// progress on another thread still sees the file.
  ///
  /// - Throws: `EMFILE` if the process has no descriptor left; the file is then unchanged.
  func abandon() throws(DiskError)

  // MARK: Sending

  /// Sends bytes of the file to a socket, if possible without copying them into user space
  /// (sendfile).
  ///
  /// - Parameters:
  ///   - socket: A connected stream socket; may be non-blocking.
  ///   - position: First byte.
  ///   - count: Most bytes to send.
  /// - Returns: Bytes sent; fewer than `count` if a non-blocking socket is full (0: try later) or
  ///   the file ends.
  /// - Throws: `DiskError` of operation `.send`: `EPIPE` and `ECONNRESET` if the peer has closed.
  ///   The caller ignores SIGPIPE.
  func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int

  /// The file's descriptor, only for a sendfile of `range` by other code (swift-nio's); nil if the
  /// file has none, so that the bytes must be copied with `read`.
  ///
  /// - Returns: A descriptor that is open as long as this file; not to be closed.
  /// - Throws: `EIO` if the file ends before the range does: a sendfile would end there without an
  ///   error.
  func sendDescriptor(for range: Range<Int>) throws(DiskError) -> Int32?
}

/// How much of a range of a file the page cache holds, see `DiskFile.residency`.
///
/// ```swift
/// if file.residency(of: 0..<4096) != .whole { print("a read may wait for the disk") }
/// ```
public enum Residency: Sendable, Equatable {
  /// Every page: a read needs no disk.
  case whole
  /// Some pages.
  case part
  /// No page.
  case nothing
}

/// What a reader is about to do, see `DiskFile.advise`.
///
/// ```swift
/// try file.advise(.sequential, at: 0, count: file.size())
/// ```
public enum ReadAdvice: Sendable {
  /// The whole range will be read from front to back.
  case sequential
  /// Reads through this handle are unrelated: no readahead, in the whole file. Holds until
  /// `.normal`.
  case random
  /// Readahead is left to the system, as after opening.
  case normal
  /// The range will be needed soon: start reading it.
  case willNeed
  /// The range will not be needed again soon: its clean pages may be dropped.
  case dontNeed
}
