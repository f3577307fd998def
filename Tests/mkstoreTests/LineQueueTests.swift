import Testing

@testable import mkstore

/// Lines leave in order, and what was lost is counted in its place.
struct LineQueueTests {
  private func line(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Writes what the queue gives until it gives nothing.
  private func drain(_ queue: inout LineQueue) -> [String] {
    var written: [String] = []
    while let item = queue.next {
      switch item {
      case .line(let line): written.append(String(decoding: line, as: UTF8.self))
      case .note(let lost): written.append("lost \(lost)")
      }
      #expect(queue.finish(item, isWritten: true) == 0)
    }
    return written
  }

  @Test func whatFindsNoRoomIsCountedInItsPlace() {
    var queue = LineQueue(bytesMax: 10)
    #expect(["12345", "67890", "x", "y"].map { queue.add(line($0)) } == [0, 0, 1, 1])
    let first = queue.next
    #expect(first == .line(line("12345")))
    // While it is being written it takes its room.
    #expect(queue.add(line("z")) == 1)
    #expect(queue.finish(first!, isWritten: true) == 0)
    #expect(queue.add(line("after")) == 0)
    #expect(drain(&queue) == ["67890", "lost 3", "after"])
    #expect(queue.isEmpty)
  }

  @Test func whatIsLostLastIsToldWithoutAnotherLine() {
    var queue = LineQueue(bytesMax: 5)
    for text in ["12345", "a", "b"] { _ = queue.add(line(text)) }
    #expect(drain(&queue) == ["12345", "lost 2"])
    #expect(drain(&queue) == [])
  }

  @Test func aLineThatComesWhileTheCountIsWrittenKeepsItsPlace() {
    var queue = LineQueue(bytesMax: 5)
    for text in ["12345", "a"] { _ = queue.add(line(text)) }
    _ = queue.finish(queue.next!, isWritten: true)
    let note = queue.next
    #expect(note == .note(lost: 1))
    _ = queue.add(line("b"))
    _ = queue.finish(note!, isWritten: true)
    #expect(drain(&queue) == ["b"])
  }

  /// A full disk: nothing is tried again before another line comes.
  @Test func aFailedWriteIsCountedAndToldWithTheNextLine() {
    var queue = LineQueue(bytesMax: 100)
    for text in ["a", "b"] { _ = queue.add(line(text)) }
    #expect(queue.finish(queue.next!, isWritten: false) == 1)
    #expect(queue.next == .note(lost: 1))
    #expect(queue.finish(queue.next!, isWritten: false) == 1)
    #expect(queue.next == nil && queue.isEmpty)
    _ = queue.add(line("c"))
    #expect(drain(&queue) == ["lost 2", "c"])
  }

  @Test func aLineLargerThanTheQueueIsTakenAlone() {
    var queue = LineQueue(bytesMax: 3)
    #expect(queue.add(line("12345")) == 0)
    #expect(queue.add(line("1")) == 1)
    #expect(drain(&queue) == ["12345", "lost 1"])
  }
}
