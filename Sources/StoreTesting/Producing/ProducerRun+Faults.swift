import DiskIO
import Glibc

/// Faults in a run.
extension ProducerRun {
  /// Causes one fault, or ends one.
  func disturb() throws {
    switch generator.index(below: 20) {
    case 0...3: plan(failingWrite)
    case 4...6: plan(failingSync)
    case 7, 8: plan(shortage)
    case 9: fillDisk()
    case 10, 11:
      disk.mend()
      trace("mended")
    case 12, 13:
      reopen()
    case 14, 15: takeUpLog()
    case 16: disconnect(generator.index(below: clients.count))
    case 17: try restart(.kill)
    case 18: try restart(mayLoseNames ? .kill : .powerCut)
    default: try restart(.close)
    }
  }

  private func plan(_ fault: FaultPlan) {
    disk.plan(fault)
    trace("\(fault)")
  }

  private var failingWrite: FaultPlan {
    let operations: [Set<DiskError.Operation>] = [
      [.write], [.write], [.write], [.truncate], [.create], [.allocate], [.map], [.remove],
      [.open, .create],
    ]
    let fault: FaultPlan.Fault =
      generator.chance(0.5) ? .error(EIO) : .shortWrite(EIO, bytes: nil)
    return FaultPlan(
      fault, at: 1 + generator.index(below: 4), isForEver: generator.chance(0.3),
      operations: operations.randomElement(using: &generator)!)
  }

  private var failingSync: FaultPlan {
    let operation: DiskError.Operation =
      [.sync, .sync, .sync, .syncDirectory].randomElement(using: &generator)!
    if operation == .syncDirectory { mayLoseNames = true }
    let code = generator.chance(0.8) ? EIO : ENOSPC
    return FaultPlan(
      .error(code), at: 1 + generator.index(below: 4), isForEver: generator.chance(0.2),
      operations: [operation])
  }

  /// A shortage for a call or two, or until it is ended.
  private var shortage: FaultPlan {
    let code = [ENOSPC, ENOSPC, EDQUOT, EMFILE, EFBIG].randomElement(using: &generator)!
    let operations: Set<DiskError.Operation> =
      code == EMFILE ? [.open, .create] : [.write, .allocate, .create]
    let fault: FaultPlan.Fault =
      generator.chance(0.5) ? .error(code) : .shortWrite(code, bytes: nil)
    return FaultPlan(
      fault, at: 1 + generator.index(below: 3), isForEver: generator.chance(0.4),
      operations: operations)
  }

  private func fillDisk() {
    disk.capacityBytes = 1 << 30
    do throws(DiskError) {
      let left = Int(try disk.space("/").availableBytes)
      disk.capacityBytes = (1 << 30) - left + 4096 * generator.index(below: 2)
    } catch {
      disk.capacityBytes = nil
    }
  }
}

extension SimulatedDisk {
  /// Ends all faults.
  func mend() {
    removeFaults()
    capacityBytes = nil
  }
}
