/// Which flush an append requests.
package enum FlushNeed: Sendable {
  /// None of its own.
  case none
  /// One by the store's flusher.
  case soon
  /// One before more is appended.
  case now
}
