internal import Synchronization

/// A value that is read often and replaced rarely: reading takes no lock and counts no references.
/// Any thread may call any method.
///
/// A replaced value stays in memory until this object is destroyed, since a reader may still use
/// it; setting an earlier value again reuses it. So it is for values that people change, not
/// programs in a loop.
package final class LiveValue<Value: Sendable & Equatable>: Sendable {
  private final class Box: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  /// Every value that was set; its lock serialises setters.
  private let boxes: Locked<[Box]>
  /// Address of the box with the current value.
  private let current: Atomic<UInt>

  /// Stores the first value.
  package init(_ value: Value) {
    let box = Box(value)
    boxes = Locked([box])
    current = Atomic(Self.address(of: box))
  }

  /// The current value (acquire).
  @inline(__always)
  package var value: Value { with { $0 } }

  /// Reads a part of the current value (acquire).
  @inline(__always)
  package func with<Result>(_ body: (Value) -> Result) -> Result {
    // Safe: `boxes` keeps every box for as long as this object lives, and no address is 0.
    let address = unsafe UnsafeRawPointer(bitPattern: current.load(ordering: .acquiring))!
    return unsafe Unmanaged<Box>.fromOpaque(address)._withUnsafeGuaranteedRef { body($0.value) }
  }

  private static func address(of box: Box) -> UInt {
    // Safe: the pointer is only converted to a number.
    unsafe UInt(bitPattern: Unmanaged.passUnretained(box).toOpaque())
  }

  /// Replaces the value (release).
  package func set(_ value: Value) {
    boxes.withLock { boxes in
      let box: Box
      if let known = boxes.first(where: { $0.value == value }) {
        box = known
      } else {
        box = Box(value)
        boxes.append(box)
      }
      current.store(Self.address(of: box), ordering: .releasing)
    }
  }
}
