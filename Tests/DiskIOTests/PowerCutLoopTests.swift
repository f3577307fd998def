import DiskIO
import Glibc
import StoreTesting
import Testing

/// The loop finds the classic mistakes and lets the right way pass.
@Suite struct PowerCutLoopTests {
  static let before = [UInt8](repeating: 1, count: 700)
  static let after = [UInt8](repeating: 2, count: 900)

  /// Replaces `/f` by writing a temporary file; the steps are what people forget.
  static func replace(
    _ disk: SimulatedDisk, syncsFile: Bool = true, syncsDirectory: Bool = true
  ) -> Bool {
    do {
      let file = try disk.open("/f.tmp", .create)
      try file.write(after)
      if syncsFile { try file.sync() }
      try disk.rename("/f.tmp", to: "/f")
      if syncsDirectory { try disk.syncDirectory("/") }
      return true
    } catch {
      return false
    }
  }

  /// Outcomes in which neither the old nor the new content is there, and those in which the new is
  /// not although the caller was told so.
  static func faults(
    of scenario: (SimulatedDisk) -> Bool
  ) throws -> (torn: Int, forgotten: Int, cuts: Int) {
    var (torn, forgotten) = (0, 0)
    let tried = try PowerCutLoop().run(
      on: {
        let disk = SimulatedDisk()
        try disk.install("/f", before)
        return disk
      }, scenario: scenario,
      check: { disk, isDone, _ in
        let content = disk.contents(of: "/f")
        if content != before && content != after { torn += 1 }
        if isDone && content != after { forgotten += 1 }
      })
    return (torn, forgotten, tried.cuts)
  }

  @Test func replacingAFileTheRightWayIsAtomicAndDurable() throws {
    let found = try Self.faults { Self.replace($0) }
    #expect(found == (torn: 0, forgotten: 0, cuts: 6))
  }

  @Test func aForgottenSyncOfTheFileIsFound() throws {
    #expect(try Self.faults { Self.replace($0, syncsFile: false) }.torn > 0)
  }

  @Test func aForgottenSyncOfTheDirectoryIsFound() throws {
    let found = try Self.faults { Self.replace($0, syncsDirectory: false) }
    #expect(found.torn == 0 && found.forgotten > 0)
  }

  @Test func aSyncRetriedAfterItFailedIsFound() throws {
    let found = try Self.faults { disk in
      disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
      do {
        let file = try disk.open("/f.tmp", .create)
        try file.write(Self.after)
        do { try file.sync() } catch { try file.sync() }
        try disk.rename("/f.tmp", to: "/f")
        try disk.syncDirectory("/")
        return true
      } catch {
        return false
      }
    }
    #expect(found.torn > 0 && found.forgotten > 0)
  }
}
