import Testing

/// Everything that touches a file goes through `Disk` and `DiskFile`: outside of DiskIO nothing
/// calls the system about files, or holds a file's descriptor.
struct SeamTests {
  /// What makes system calls about files; CMkstoreShims only declares them.
  private static let rooms: Set = ["DiskIO", "CMkstoreShims"]

  /// Files that may call the system about descriptors, and why.
  private static let exceptions: [String: String] = [
    "Sources/mkstore/System/StandardStreams.swift":
      "standard streams, and the file that `append` reads, neither of which is a store's"
  ]

  /// Files that may name `sendDescriptor`: those that hand it on, and its one user.
  private static let senders: Set = [
    "Sources/MkstoreServer/Connection/ConnectionHandler+Send.swift",
    "Sources/LogStore/Journal/JournalView.swift",
    "Sources/StoreTesting/Disk/SimulatedFile.swift",
    "Sources/StoreTesting/Faults/CountingFile.swift",
  ]

  /// The C library's calls about files, but for those that methods of ours are named like.
  private static var calls: Regex<Substring> {
    #/
    (?: ^ | [^\w.] )
    (?: pread | pwrite | preadv | pwritev | fstat | lstat | statx | fsync | fdatasync | syncfs
      | sync_file_range | fallocate | posix_fallocate | ftruncate | mmap | munmap | msync | mincore
      | madvise | sendfile | splice | readahead | posix_fadvise | flock | lockf | opendir | readdir
      | fopen | fdopen | lseek | statvfs | fstatvfs | statfs | fstatfs | unlink | rmdir | mkdir
      | symlink | syscall | memfd_create )
    \(
    /#
  }

  /// Those by their module's name, and Foundation's ways to a file.
  private static var qualified: Regex<Substring> {
    #/
    Glibc\.(?: open | openat | read | write | close | rename | truncate | stat | access | remove
      | sendfile | sync )\(
    | (?: ^ | \W ) File(?: Manager | Handle )
    /#
  }

  private static var outside: [SourceFile] {
    SourceTree.sources.filter {
      $0.path.hasSuffix(".swift") && !rooms.contains($0.module) && exceptions[$0.path] == nil
    }
  }

  private static func calls(in file: SourceFile) -> [String] {
    file.matches(of: calls, inCode: true) + file.matches(of: qualified, inCode: true)
  }

  @Test func onlyDiskIOCallsTheSystemAboutFiles() {
    let findings = Self.outside.flatMap(Self.calls)
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func onlyDiskIOUsesTheShimsAboutFiles() throws {
    let shims = try Self.fileShims()
    #expect(shims.isSuperset(of: ["mk_open", "mk_cached_pages", "mk_start_writeback", "mk_space"]))
    #expect(shims.isDisjoint(with: ["mk_monotonic_ns", "mk_monitor_lock"]))
    var findings: [String] = []
    for file in Self.outside {
      for (number, text) in file.code {
        for match in text.matches(of: /\bmk_\w+/) where shims.contains(String(match.output)) {
          findings.append("\(file.path):\(number): \(match.output)")
        }
      }
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }

  @Test func onlyTheServersSendfileHoldsADescriptor() {
    let users = Self.outside.filter { !$0.matches(of: /sendDescriptor\(/, inCode: true).isEmpty }
    #expect(Set(users.map(\.path)).subtracting(Self.senders).sorted() == [], "not listed")
    #expect(Self.senders.subtracting(users.map(\.path)).sorted() == [], "listed, but no user")
  }

  @Test func everyExceptionIsStillNeeded() {
    for (path, why) in Self.exceptions {
      let found = SourceTree.file(path).map(Self.calls) ?? []
      #expect(!found.isEmpty, "\(path) calls nothing any more (\(why))")
    }
  }

  /// The patterns find what they are to find.
  @Test func aCallBesideTheSeamIsSeen() {
    for line in [
      "  _ = fdatasync(fd)", "if unsafe mmap(nil, 1, 2, 3, fd, 0) == nil {",
      "unsafe Glibc.open(path, O_RDONLY)", "FileManager.default.removeItem(atPath: path)",
    ] {
      #expect(!Self.calls(in: SourceFile(path: "planted", text: line)).isEmpty, "\(line)")
    }
    for line in ["try file.sync()", "disk.open(path, .read)", "segments.unlink(first)"] {
      #expect(Self.calls(in: SourceFile(path: "planted", text: line)).isEmpty, "\(line)")
    }
  }

  /// The functions that the header declares about files: all from its mark of files on, and those
  /// of guarded copies.
  private static func fileShims() throws -> Set<String> {
    let header = try #require(SourceTree.file("Sources/CMkstoreShims/include/posix_shims.h"))
    let guarded = try #require(SourceTree.file("Sources/CMkstoreShims/include/guarded_copy.h"))
    let start = try #require(header.lines.firstIndex(of: "// MARK: files"))
    let lines = header.lines[start...] + guarded.lines
    return Set(
      lines.flatMap { $0.matches(of: /\bmk_\w+(?=\()/).map { String($0.output) } })
  }
}
