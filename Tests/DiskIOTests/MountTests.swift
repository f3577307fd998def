import CMkstoreShims
import DiskIO
import Glibc
import Testing

/// File systems made for the test; they need root and mount(8) and are skipped elsewhere.
@Suite(.enabled(if: Mount.isPossible, "needs root and mount(8)"), .serialized)
struct MountTests {
  let disk = PosixDisk()

  @Test func aFullFileSystemIsSeenBeforeAMappingIsTouched() throws {
    try Mount.with(kind: "tmpfs", options: "size=1m", device: "none") { base in
      let file = try disk.open("\(base)/index", .create)
      #expect(failure { try file.allocate(to: 2 << 20) }?.code == ENOSPC)
      try file.truncate(to: 0)
      try file.allocate(to: 512 << 10)
      let region = try file.map(capacity: 512 << 10, writable: true)
      let filler = try disk.open("\(base)/filler", .create)
      let error = failure { try filler.write([UInt8](repeating: 1, count: 1 << 20)) }
      #expect(error == DiskError(.write, "\(base)/filler", code: ENOSPC))
      #expect(error?.isDiskFull == true)
      #expect(try filler.size() > 0, "what fitted was written")
      #expect(try disk.space(base).availableBytes == 0)
      // Would be SIGBUS, had a block been missing.
      for position in stride(from: 0, to: 512 << 10, by: 4_096) {
        try region.store(bigEndian: UInt64(7), at: position)
      }
      try file.sync()
      #expect(try file.bytes(8, at: 508 << 10) == [0, 0, 0, 0, 0, 0, 0, 7])
    }
  }

  @Test func aReadOnlyFileSystemCanBeRead() throws {
    try Mount.with(kind: "tmpfs", options: "size=1m", device: "none") { base in
      try disk.put("\(base)/a", [1, 2])
      try #require(Mount.run("mount -o remount,ro \(base)"))
      #expect(try disk.contents("\(base)/a") == [1, 2])
      #expect(try disk.names(base) == ["a"])
      #expect(try disk.status("\(base)/a")?.size == 2)
      let region = try disk.open("\(base)/a", .read).map(capacity: 2, writable: false)
      #expect(try region.load(bigEndian: UInt16.self, at: 0) == 0x0102)
      let error = failure { _ = try disk.open("\(base)/b", .create) }
      #expect(error == DiskError(.create, "\(base)/b", code: EROFS))
      #expect(error?.isReadOnly == true)
      #expect(failure { _ = try disk.open("\(base)/a", .readWrite) }?.isReadOnly == true)
      #expect(failure { try disk.remove("\(base)/a") }?.isReadOnly == true)
    }
  }

  @Test(.enabled(if: Mount.imagesArePossible, "needs mke2fs(8) and a loop device"))
  func allocateWritesZerosWhereBlocksCannotBeReserved() throws {
    try Mount.withImage(kind: "ext2") { base in
      let file = try disk.open("\(base)/a", .create)
      let fd = try #require(try file.sendDescriptor(for: 0..<0))
      try #require(mk_allocate(fd, 4_096) == EOPNOTSUPP, "the premise of this test")
      try file.write([5], at: 50_000)
      try file.truncate(to: 100_000)
      try file.write([6], at: 99_999)
      try file.allocate(to: 300_000)
      #expect(PosixDiskTests.raw("\(base)/a").blocks * 512 >= 300_000)
      let bytes = try file.contents()
      #expect(bytes.count == 300_000)
      #expect(bytes[50_000] == 5 && bytes[99_999] == 6)
      #expect(bytes.reduce(0) { $0 + Int($1) } == 11)
      try file.allocate(to: 1_000)
      #expect(try file.size() == 300_000)
      let other = try disk.open("\(base)/b", .create)
      #expect(
        failure { try other.allocate(to: 64 << 20) }
          == DiskError(.allocate, "\(base)/b", code: ENOSPC))
    }
  }

  /// The assumptions behind `SimulatedDisk`, on a real journal: what was synced survives a power
  /// cut, and what was not may go.
  @Test(.enabled(if: Mount.imagesArePossible, "needs mke2fs(8) and a loop device"))
  func syncedContentAndNamesSurviveAPowerCut() throws {
    let bytes = [UInt8](repeating: 3, count: 100_000)
    try Mount.withImage(kind: "ext4") { base in
      let file = try disk.open("\(base)/synced", .create)
      try file.write(bytes)
      try file.sync()
      try disk.put("\(base)/renamed.temporary", [1])
      try disk.open("\(base)/renamed.temporary", .readWrite).sync()
      try disk.rename("\(base)/renamed.temporary", to: "\(base)/renamed")
      try disk.syncDirectory(base)
      try disk.put("\(base)/unsynced", bytes)
      try file.write(bytes, at: 100_000)
      try #require(unsafe mk_shut_down_file_system(base) == 0)
      #expect(failure { try file.write([1]) }?.code == EIO)
    } afterRemount: { base in
      let synced = try disk.contents("\(base)/synced")
      #expect(synced == bytes)
      #expect(try disk.names(base) == ["lost+found", "renamed", "synced"])
      #expect(try disk.contents("\(base)/renamed") == [1])
    }
  }

  /// The same of one sync for all, with no sync of a file or a directory.
  @Test(.enabled(if: Mount.imagesArePossible, "needs mke2fs(8) and a loop device"))
  func whatASharedSyncCoversSurvivesAPowerCut() throws {
    let bytes = [UInt8](repeating: 3, count: 100_000)
    try Mount.withImage(kind: "ext4") { base in
      try disk.put("\(base)/anchor", [1])
      let shared = try #require(try disk.sharedSync(of: "\(base)/anchor"))
      #expect(try shared.covers(base) && !shared.covers("/proc"))
      try disk.makeDirectory("\(base)/d")
      let files = try (0..<8).map { try disk.open("\(base)/d/\($0)", .create) }
      for file in files { try file.write(bytes) }
      try disk.put("\(base)/old", [2])
      try disk.rename("\(base)/old", to: "\(base)/d/new")
      for file in files { try file.writeOut() }
      try shared.sync()
      for file in files { try file.write(bytes, at: 100_000) }
      try disk.put("\(base)/d/late", [1])
      try #require(unsafe mk_shut_down_file_system(base) == 0)
      // Up to Linux 6.11 syncfs says 0 here.
      #expect(failure { try shared.sync() }?.code == EIO)
      #expect(failure { try shared.sync() }?.operation == .syncFileSystem)
    } afterRemount: { base in
      #expect(try disk.names("\(base)/d") == ["0", "1", "2", "3", "4", "5", "6", "7", "new"])
      for index in 0..<8 {
        let found = try disk.contents("\(base)/d/\(index)")
        #expect(Array(found.prefix(100_000)) == bytes)
      }
      #expect(try disk.contents("\(base)/d/new") == [2])
    }
  }

  @Test(.enabled(if: Mount.imagesArePossible, "needs mke2fs(8) and a loop device"))
  func aSharedSyncOfAReadOnlyFileSystemProvesNothing() throws {
    try Mount.withImage(kind: "ext4") { base in
      try disk.put("\(base)/anchor", [1])
      let shared = try #require(try disk.sharedSync(of: "\(base)/anchor"))
      try shared.sync()
      try #require(Mount.run("mount -o remount,ro \(base)"))
      #expect(failure { try shared.sync() }?.isReadOnly == true)
    }
  }

  @Test func otherFileSystemsHaveNoSharedSync() throws {
    try Mount.with(kind: "tmpfs", options: "size=1m", device: "none") { base in
      try disk.put("\(base)/anchor", [1])
      #expect(try disk.sharedSync(of: "\(base)/anchor") == nil)
    }
  }
}

/// Mounts and images that a test makes and removes.
enum Mount {
  /// Whether this process may mount; found out by doing it.
  static let isPossible = run(
    """
    d=$(mktemp -d) && mount -t tmpfs -o size=1m none $d && umount $d; r=$?; rmdir $d; exit $r
    """)

  /// Whether it may also mount a file system in a file.
  static let imagesArePossible = run(
    """
    d=$(mktemp -d) && mke2fs -q -F -t ext4 $d.img 4M && mount -o loop $d.img $d && umount $d
    r=$?; rm -f $d.img; rmdir $d; exit $r
    """)

  /// Whether the shell command succeeds; what it prints is dropped.
  static func run(_ command: String) -> Bool {
    // Safe: the C string lives for the call.
    unsafe system("( \(command)\n ) >/dev/null 2>&1") == 0
  }

  static func with(
    kind: String, options: String, device: String, _ body: (String) throws -> Void
  ) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try #require(run("mount -t \(kind) -o \(options) \(device) \(directory.path)"))
    defer { #expect(run("umount \(directory.path) || umount -l \(directory.path)")) }
    try body(directory.path)
  }

  /// A small file system of this kind in a file, mounted twice.
  static func withImage(
    kind: String, _ body: (String) throws -> Void,
    afterRemount second: (String) throws -> Void = { _ in }
  ) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let image = "\(directory.path)/image"
    try #require(run("mke2fs -q -F -t \(kind) \(image) 16M"))
    try with(kind: kind, options: "loop", device: image, body)
    try with(kind: kind, options: "loop", device: image, second)
  }
}
