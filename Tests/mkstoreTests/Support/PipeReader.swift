import Foundation
import LogStore

/// What a thread of its own reads from a pipe, to its end.
final class PipeReader: Sendable {
  private let content = Locked<Data?>(nil)

  init(_ handle: FileHandle) {
    // The caller's handle stays open until the last writer is gone.
    let descriptor = dup(handle.fileDescriptor)
    Thread.detachNewThread { [content] in
      let all = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).readDataToEndOfFile()
      content.withLock { $0 = all }
      content.broadcast()
    }
  }

  /// Everything, once the writers are gone.
  func text() -> String {
    _ = content.wait { $0 != nil }
    return String(decoding: content.withLock { $0 } ?? Data(), as: UTF8.self)
  }
}
