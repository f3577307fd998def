internal import Synchronization

/// How far a verification has progressed.
///
/// ```swift
/// let report = try LogVerifier().verify(["data"]) { progress in
///   print("\(progress.doneBytes) of \(progress.totalBytes) bytes")
/// }
/// ```
public struct VerificationProgress: Sendable, Equatable {
  /// Bytes of `.log` files checked so far.
  public var doneBytes: Int
  /// Bytes of `.log` files at the start; a running writer may add to them.
  public var totalBytes: Int
}

/// Adds up the threads' progress and reports it to the caller.
final class VerificationMeter: Sendable {
  private let totalBytes: Int
  private let doneBytes = Atomic(0)
  private let report: (@Sendable (VerificationProgress) -> Void)?

  init(totalBytes: Int, report: (@Sendable (VerificationProgress) -> Void)?) {
    self.totalBytes = totalBytes
    self.report = report
  }

  /// Counts bytes; any thread.
  func add(_ byteCount: Int) {
    guard let report, byteCount > 0 else { return }
    // Relaxed: a number for display that orders nothing.
    let done = doneBytes.wrappingAdd(byteCount, ordering: .relaxed).newValue
    report(VerificationProgress(doneBytes: min(done, totalBytes), totalBytes: totalBytes))
  }
}
