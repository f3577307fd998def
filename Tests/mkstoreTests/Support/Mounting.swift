import Foundation

/// Small disks for the tests; they need root.
enum Mounting {
  /// Whether this process may mount.
  static let isPossible: Bool = {
    do {
      return try Tool.bash(
        "d=$(mktemp -d) && mount -t tmpfs -o size=1m none $d && umount $d; s=$?; rmdir $d; exit $s"
      ).status == 0
    } catch {
      return false
    }
  }()

  /// Runs `body` with a disk of so many bytes at `path`.
  static func withSmallDisk(
    _ path: String, bytes: Int, _ body: (String) throws -> Void
  ) throws {
    _ = try Tool.bash("mkdir -p \(path) && mount -t tmpfs -o size=\(bytes) none \(path)")
    defer {
      do {
        _ = try Tool.bash("umount \(path)")
      } catch {
        print("\(path) could not be unmounted: \(error)")
      }
    }
    try body(path)
  }
}
