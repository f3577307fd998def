/// Logs that wait to be flushed, each once, and those that are being flushed.
struct FlushQueue {
  /// Entries from `first` on; earlier ones were taken. From `firstUnstarted` on no thread has begun
  /// to write them to the disk.
  private var waiting: [(any Flusher.Client)?] = []
  private var first = 0
  private var firstUnstarted = 0
  private var isWaiting: Set<ObjectIdentifier> = []
  /// Whether a flush was requested again for one that is being flushed.
  private var running: [ObjectIdentifier: Bool] = [:]

  /// How many wait.
  var count: Int { waiting.count - first }
  /// How many are being flushed.
  var runningCount: Int { running.count }

  /// Adds a log; false if no thread needs to be woken for it.
  mutating func request(_ client: any Flusher.Client) -> Bool {
    let id = ObjectIdentifier(client)
    if running[id] != nil {
      running[id] = true
      return false
    }
    guard isWaiting.insert(id).inserted else { return false }
    waiting.append(client)
    return true
  }

  /// Most logs whose writing a thread starts before it syncs its own.
  private static let startedMax = 8

  /// The next log, for a sync of its own.
  ///
  /// - Parameter following: Receives logs after it whose writing is to be started, so that a
  ///   journal commits them together (docs/performance.md#parallel-flushes).
  mutating func take(following: inout [any Flusher.Client]) -> (any Flusher.Client)? {
    guard let client = take() else { return nil }
    firstUnstarted = max(first, firstUnstarted)
    let started = firstUnstarted..<min(firstUnstarted + Self.startedMax, waiting.count)
    following += waiting[started].compactMap { $0 }
    firstUnstarted = started.upperBound
    return client
  }

  /// The next log, which counts as being flushed from now on.
  mutating func take() -> (any Flusher.Client)? {
    guard first < waiting.count, let client = waiting[first] else { return nil }
    // Drop the reference to avoid a retain cycle.
    waiting[first] = nil
    first += 1
    if first == waiting.count {
      waiting.removeAll(keepingCapacity: true)
      (first, firstUnstarted) = (0, 0)
    } else if first >= 1024 {
      waiting.removeFirst(first)
      (first, firstUnstarted) = (0, max(0, firstUnstarted - first))
    }
    let id = ObjectIdentifier(client)
    isWaiting.remove(id)
    running[id] = false
    return client
  }

  /// Ends the flush of a log; it waits again if another flush was requested meanwhile.
  mutating func finish(_ client: any Flusher.Client) {
    if running.removeValue(forKey: ObjectIdentifier(client)) == true { _ = request(client) }
  }

  /// Whether the same thread flushes a log once more after its flush has ended; if others wait it
  /// goes to the end of the queue instead.
  mutating func isWantedAgain(_ client: any Flusher.Client) -> Bool {
    let id = ObjectIdentifier(client)
    guard running[id] == true else {
      running[id] = nil
      return false
    }
    if first == waiting.count {
      running[id] = false
      return true
    }
    running[id] = nil
    _ = request(client)
    return false
  }

  /// Removes a log that closes.
  mutating func remove(_ client: any Flusher.Client) {
    let id = ObjectIdentifier(client)
    if running[id] != nil { running[id] = false }
    guard isWaiting.remove(id) != nil else { return }
    waiting.removeSubrange(..<first)
    (first, firstUnstarted) = (0, 0)
    waiting.removeAll { $0 === client }
  }
}
