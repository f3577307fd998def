internal import CMkstoreShims

/// The processors that this process may run on.
package enum AllowedProcessors {
  /// Their numbers, ascending; empty if the system does not report them.
  package static func list() -> [Int] {
    var numbers = [Int32](repeating: 0, count: 1024)
    // Safe: the array has room for the stated count of numbers.
    let count = unsafe mk_allowed_cpus(&numbers, Int32(numbers.count))
    return numbers.prefix(max(0, min(Int(count), numbers.count))).map(Int.init)
  }
}
