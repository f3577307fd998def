import Foundation

/// A small ext4 on a loop device whose power can be cut: needs root and the right to mount.
///
/// The cut is ext4's own: the ioctl FS_IOC_SHUTDOWN with the flag that not even the journal is
/// flushed. From then on every write fails, and after mounting again only what was synced is there.
final class LoopDisk {
  let mountPoint: String
  private let workspace: Workspace
  private let image: String
  private var isMounted = false

  /// Why such disks cannot be had here; nil where they can.
  static let obstacle: String? = {
    if getuid() != 0 { return "needs root to mount" }
    do {
      let disk = try LoopDisk()
      try disk.cutPower()
      try disk.remount()
      try disk.unmount()
      return nil
    } catch {
      return "\(error)"
    }
  }()

  /// Makes the file system and mounts it.
  init(megabytes: Int = 64) throws {
    workspace = try Workspace()
    image = workspace("disk.img")
    mountPoint = workspace("disk")
    try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: true)
    try Self.require("truncate", "-s", "\(megabytes)M", image)
    try Self.require("mkfs.ext4", "-q", "-F", image)
    try mount()
  }

  deinit {
    do {
      try unmount()
    } catch {
      print("\(mountPoint) stays mounted: \(error)")
    }
  }

  /// Cuts the power.
  func cutPower() throws { try Self.cutPower(of: mountPoint) }

  /// Cuts the power of the disk mounted there.
  static func cutPower(of mountPoint: String) throws {
    let program =
      "import fcntl, os, struct, sys; fd = os.open(sys.argv[1], os.O_RDONLY); "
      + "fcntl.ioctl(fd, 0x8004587D, struct.pack('I', 2))"
    let outcome = try Command.run("/usr/bin/env", ["python3", "-c", program, mountPoint])
    guard outcome.status == 0 else {
      throw Command.Failure(description: "FS_IOC_SHUTDOWN: \(outcome.messages)")
    }
  }

  /// Starts the disk again, as after the power came back.
  func remount() throws {
    try unmount()
    try mount()
  }

  /// Gives the mount point back. Nothing may be open on it.
  func unmount() throws {
    guard isMounted else { return }
    try Self.require("umount", mountPoint)
    isMounted = false
  }

  private func mount() throws {
    try Self.require("mount", "-o", "loop", image, mountPoint)
    isMounted = true
  }

  private static func require(_ words: String...) throws {
    let outcome = try Command.run("/usr/bin/env", words)
    guard outcome.status == 0 else {
      throw Command.Failure(
        description: "\(words.joined(separator: " ")): \(outcome.messages.trimmed)")
    }
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
