internal import Synchronization

/// A value that is read all the time and replaced now and then: reading takes no lock and counts no
/// references. Any thread may call any method.
///
/// A value that was replaced stays in memory until this object goes, since a reader may still use
/// it; setting a value that was set before reuses it. So it is for values that change by a person's
/// hand, not by a program's loop.
package final class LiveValue<Value: Sendable & Equatable>: Sendable {
  private final class Box: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  /// Every value that was set; the lock of whoever sets one.
  private let boxes: Locked<[Box]>
  /// Address of the box whose value counts.
  private let current: Atomic<UInt>

  /// Takes over the first value.
  package init(_ value: Value) {
    let box = Box(value)
    boxes = Locked([box])
    current = Atomic(Self.address(of: box))
  }

  /// The value of this moment (acquire).
  @inline(__always)
  package var value: Value { with { $0 } }

  /// Reads a part of the value of this moment (acquire).
  @inline(__always)
  package func with<Result>(_ body: (Value) -> Result) -> Result {
    // Safe: `boxes` keeps every box for as long as this object lives, and no address is 0.
    let address = unsafe UnsafeRawPointer(bitPattern: current.load(ordering: .acquiring))!
    return unsafe Unmanaged<Box>.fromOpaque(address)._withUnsafeGuaranteedRef { body($0.value) }
  }

  private static func address(of box: Box) -> UInt {
    // Safe: only a number is made of it.
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
