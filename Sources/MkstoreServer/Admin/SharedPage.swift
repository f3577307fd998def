internal import LogStore

/// A page that takes long to write: however many ask for it, it is written once at a time, and who
/// asked before it was begun shares it. Any thread.
final class SharedPage: Sendable {
  /// Takes the page.
  typealias Reply = @Sendable (AdminHandler.Page?) -> Void

  private let thread: FetcherPool
  private let write: @Sendable () -> AdminHandler.Page?
  /// Who waits for the next writing; it is submitted while there is somebody.
  private let waiting = Locked<[Reply]>([])

  /// - Parameter write: Writes the page, on `thread`.
  init(on thread: FetcherPool, write: @escaping @Sendable () -> AdminHandler.Page?) {
    self.thread = thread
    self.write = write
  }

  /// Asks for the page as it is from now on.
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
