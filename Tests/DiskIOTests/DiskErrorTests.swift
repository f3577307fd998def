import DiskIO
import Glibc
import Testing

@Suite struct DiskErrorTests {
  @Test(arguments: [
    (
      DiskError(.write, "/d/a.log", code: ENOSPC),
      "write /d/a.log: No space left on device (free space on this file system)"
    ),
    (
      DiskError(.create, "/d/a.log", code: EACCES),
      "create /d/a.log: Permission denied (check the owner and permissions of the path and its "
        + "directories)"
    ),
    (
      DiskError(.open, "/d/a.log", code: EMFILE),
      "open /d/a.log: Too many open files (raise the limit of open files of this process "
        + "(ulimit -n))"
    ),
    (DiskError(.open, "/d", code: EISDIR), "open /d: Is a directory"),
    (
      DiskError(.open, "/d/fifo", code: ENOTSUP),
      "open /d/fifo: Operation not supported (it is not a regular file)"
    ),
    (
      DiskError(.syncDirectory, "/d", code: EROFS),
      "sync directory /d: Read-only file system (mount the file system for writing)"
    ),
    (
      DiskError(.lock, "/d/.lock", code: EAGAIN, holder: 4_711),
      "lock /d/.lock: held by process 4711 (stop that process or use another directory)"
    ),
    (
      DiskError(.lock, "/d/.lock", code: EAGAIN, holder: getpid()),
      "lock /d/.lock: held by this process (close it there first or use another directory)"
    ),
    (
      DiskError(.lock, "/d/.lock", code: EAGAIN),
      "lock /d/.lock: held by another process (stop that process or use another directory)"
    ),
    (DiskError(.list, "/d", code: 9_999), "list /d: Unknown error 9999"),
  ])
  func theTextNamesOperationPathReasonAndRemedy(error: DiskError, text: String) {
    #expect(error.description == text)
    #expect("\(error)" == text)
  }

  @Test func kindsOfErrors() {
    func error(_ code: Int32) -> DiskError { DiskError(.write, "a", code: code) }
    let isFull = [ENOSPC, EDQUOT, EFBIG, EIO].map { error($0).isDiskFull }
    #expect(isFull == [true, true, true, false])
    #expect([ENOENT, ENOTDIR, EACCES].map { error($0).isNotFound } == [true, true, false])
    #expect([EROFS, EACCES].map { error($0).isReadOnly } == [true, false])
    #expect(DiskError(.lock, "a", code: EAGAIN).isLocked)
    #expect(!DiskError(.read, "a", code: EAGAIN).isLocked)
  }

  @Test func everyErrorNumberHasAText() {
    for code in 1...133 as ClosedRange<Int32> {
      #expect(!DiskError(.read, "a", code: code).reason.isEmpty)
    }
  }
}
