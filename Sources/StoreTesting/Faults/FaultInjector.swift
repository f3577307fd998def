import DiskIO

/// The plans of a disk and the count of each.
struct FaultInjector: Sendable {
  private var plans: [(plan: FaultPlan, seen: Int)] = []
  /// How often a fault occurred.
  private(set) var fired = 0

  mutating func add(_ plan: FaultPlan) {
    plans.append((plan, 0))
  }

  mutating func removeAll() {
    plans = []
  }

  /// Counts the operation and returns its fault; the earliest plan wins.
  mutating func next(_ operation: DiskError.Operation, _ path: String) -> FaultPlan.Fault? {
    var hit: FaultPlan.Fault?
    for index in plans.indices where plans[index].plan.matches(operation, path) {
      plans[index].seen += 1
      let (plan, seen) = plans[index]
      if hit == nil, seen == plan.occurrence || (plan.isForEver && seen > plan.occurrence) {
        hit = plan.fault
      }
    }
    if hit != nil { fired += 1 }
    return hit
  }
}
