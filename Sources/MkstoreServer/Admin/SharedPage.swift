internal import LogStore

/// A page that takes long to write: it is written once at a time, and everyone who asked before a
/// write began shares its result. Any thread.
final class SharedPage: Sendable {
  /// Receives the page.
  typealias Reply = @Sendable (AdminHandler.Page?) -> Void

  private let thread: FetcherPool
  private let write: @Sendable () -> AdminHandler.Page?
  /// Those waiting for the next write; it is submitted while there are any.
  private let waiting = Locked<[Reply]>([])

  /// - Parameter write: Writes the page, on `thread`.
  init(on thread: FetcherPool, write: @escaping @Sendable () -> AdminHandler.Page?) {
    self.thread = thread
    self.write = write
  }

  /// Requests the page as of now.
  func ask(_ reply: @escaping Reply) {
    let isFirst = waiting.withLock { waiting in
      waiting.append(reply)
      return waiting.count == 1
    }
    guard isFirst else { return }
    thread.submit {
      let replies = self.waiting.withLock { waiting in
        defer { waiting = [] }
        return waiting
      }
      let page = self.write()
      for reply in replies { reply(page) }
    }
  }
}
