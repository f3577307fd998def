/// Runs a blocking call beside the threads that tasks run on.
enum OneOffThread {
  /// Runs `body` on a thread made for it, and gives its result.
  ///
  /// - Throws: What `body` throws.
  static func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(LogError) -> Value
  ) async throws(LogError) -> Value {
    let outcome: Result<Value, LogError> = await withCheckedContinuation { continuation in
      _ = PinnedThread(name: "mkstore-call", core: nil) {
        do throws(LogError) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try outcome.get()
  }
}
