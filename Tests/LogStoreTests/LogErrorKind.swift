import LogStore

extension Result where Failure == LogError {
  /// What went wrong, with what is known of it; nil where nothing did.
  var failureKind: LogError.Kind? {
    if case .failure(let error) = self { error.kind } else { nil }
  }
}
