import CMkstoreShims
import Glibc

extension DiskError {
  /// An operation on a name that does not exist (ENOENT), detected without a system call.
  package static func notFound(_ operation: Operation, _ path: String) -> DiskError {
    DiskError(operation, path, code: ENOENT)
  }

  /// A path that leads to something other than a directory (ENOTDIR).
  package static func notADirectory(_ operation: Operation, _ path: String) -> DiskError {
    DiskError(operation, path, code: ENOTDIR)
  }

  /// A read that met the file's end before existing bytes (EIO): another process truncated the
  /// file.
  package static func cutShort(_ path: String) -> DiskError {
    DiskError(.read, path, code: EIO)
  }

  /// A file whose bytes another process removed after they were written (ENODATA).
  package static func cutUnderWriter(_ path: String) -> DiskError {
    DiskError(.sync, path, code: ENODATA)
  }

  /// An index that does not reach as far as its file (ENODATA).
  package static func missingEntries(_ path: String) -> DiskError {
    DiskError(.read, path, code: ENODATA)
  }

  /// A mapped page that could not be accessed (EFAULT); the kernel does not say for which of the
  /// two reasons.
  static func unreachable(_ path: String) -> DiskError {
    DiskError(.access, path, code: EFAULT)
  }

  /// Whether the name, or a directory on the way to it, does not exist.
  public var isNotFound: Bool { code == ENOENT || code == ENOTDIR }

  /// Whether a symbolic link leads to itself, or a name that must not be a link is one.
  package var isLinkLoop: Bool { code == ELOOP }

  /// Whether the name belongs to something other than a regular file.
  package var isNoFile: Bool { code == EISDIR || code == ENOTSUP }

  /// The name exists already.
  public var isAlreadyThere: Bool { code == EEXIST }

  /// Whether there is no room: the file system, the user's quota, or the file size limit of the
  /// process (`ulimit -f`) is exhausted. Can be retried once there is room.
  public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

  /// Whether the process or the system has no descriptor left, which can be retried.
  package var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }

  /// Whether the call was refused for lack of something that may become available again: space,
  /// quota, descriptors, memory, a larger limit of file sizes. The disk itself works.
  package var isShortage: Bool {
    isDiskFull || isOutOfDescriptors || code == ENOMEM
  }

  /// Whether the disk cannot read the requested bytes (EIO); it may be able to read adjacent ones.
  package var isUnreadableSector: Bool { operation == .read && code == EIO }

  /// Whether the file system accepts no writes.
  public var isReadOnly: Bool { code == EROFS }

  /// Whether another process, or another part of this one, holds the lock.
  public var isLocked: Bool { operation == .lock && code == EAGAIN }

  /// The system's text for `code`.
  public var reason: String {
    var text = [CChar](repeating: 0, count: 128)
    // Safe: the shim writes at most `text.count` bytes, the last one a NUL.
    unsafe mk_error_text(code, &text, text.count)
    return String(terminated: text)
  }

  /// What a person can do about it, if known.
  public var remedy: String? {
    switch code {
    case EAGAIN where isLocked && holder == getpid():
      "close it there first or use another directory"
    case EAGAIN where isLocked: "stop that process or use another directory"
    case ENOSPC: "free space on this file system"
    case EDQUOT: "free space or raise the quota"
    case EFBIG: fileSizeRemedy
    case EACCES, EPERM: "check the owner and permissions of the path and its directories"
    case EROFS: "mount the file system for writing"
    case EMFILE: "raise the limit of open files of this process (ulimit -n)"
    case ENFILE: "raise the system's limit of open files (fs.file-max)"
    case ENOENT where operation == .create || operation == .makeDirectory || operation == .lock:
      "make the parent directory first"
    case ENOENT, ENOTDIR: "check the path"
    case ELOOP: "name the file itself instead of a symbolic link to it"
    case ENOTSUP where operation == .open || operation == .lock: "it is not a regular file"
    case EIO: "the disk failed: check the system's log and restore from a copy"
    case ENODATA where operation == .sync:
      "another process cut the file: stop that process, and open the log again"
    case ENODATA where operation == .read: "entries are missing or another file's"
    case EFAULT where operation == .access:
      "another process cut the file, or the disk cannot read it"
    case ENOMEM where operation == .map: "raise vm.max_map_count or free memory"
    default: nil
    }
  }
}

extension DiskError {
  /// In two words why there is no room, for `isDiskFull`.
  package var fullText: String { code == EFBIG ? "file too large" : "disk full" }

  private var fileSizeRemedy: String {
    let limit = mk_file_size_limit()
    return limit == Int64.max
      ? "the file system takes no larger files: use smaller segments"
      : "this process may make files of \(limit) bytes: raise its limit, ulimit -f, or use smaller "
        + "segments"
  }
}

extension DiskError: CustomStringConvertible {
  /// One line for people: what failed on which path, why, and the remedy.
  public var description: String {
    let what = isLocked ? lockText : "\(operation.verb) \(path): \(reason)"
    guard let remedy else { return what }
    return "\(what) (\(remedy))"
  }

  private var lockText: String {
    let who = holder.map { $0 == getpid() ? "this process" : "process \($0)" }
    return "lock \(path): held by \(who ?? "another process")"
  }
}

extension DiskError.Operation {
  /// The operation in plain English.
  var verb: String {
    switch self {
    case .open, .create, .list, .rename, .remove, .lock, .read, .write, .truncate, .allocate, .sync,
      .map, .send:
      rawValue
    case .access: "access the mapping of"
    case .status, .size: "look at"
    case .makeDirectory: "make directory"
    case .removeDirectory: "remove directory"
    case .syncDirectory: "sync directory"
    case .syncFileSystem: "sync the file system of"
    case .writeOut, .checkWritten: "write out"
    case .abandon: "close"
    case .availableBytes: "ask for free space of"
    case .startSync: "start writing out"
    case .residency: "ask what memory holds of"
    case .advise: "advise the system about"
    case .names: "look for the names of"
    case .firstHole: "look for a hole in"
    }
  }
}

extension String {
  /// The text before the NUL in `bytes`; invalid UTF-8 is replaced.
  init(terminated bytes: [CChar]) {
    self.init(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
