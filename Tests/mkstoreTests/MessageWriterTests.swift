import Foundation
import LogStore
import Testing

@testable import mkstore

/// Whoever writes a line never waits for whoever reads it.
struct MessageWriterTests {
  private let lost = Locked(0)

  private func writer(_ descriptor: Int32, bytesMax: Int = 10_000) -> MessageWriter {
    MessageWriter(descriptor, bytesMax: bytesMax) { [lost] count in lost.withLock { $0 += count } }
  }

  /// 100 bytes with its line feed.
  private func line(_ number: Int) -> String {
    let head = "line \(number) "
    return head + String(repeating: "x", count: 99 - head.utf8.count) + "\n"
  }

  @Test func linesAreDroppedAndCountedWhereNobodyReads() throws {
    let pipe = Pipe()
    let writer = writer(pipe.fileHandleForWriting.fileDescriptor)
    let count = 10_000
    // 64 KiB fit into the pipe and 10,000 bytes into the queue.
    for number in 0..<count { writer.write(line(number)) }
    #expect(lost.withLock { $0 } > count / 2)
    let reader = PipeReader(pipe.fileHandleForReading)
    writer.drain(milliseconds: 60_000)
    writer.write("after\n")
    writer.drain(milliseconds: 60_000)
    try pipe.fileHandleForWriting.close()
    let lines = reader.text().split(separator: "\n").map(String.init)
    var next = 0
    for text in lines.dropLast() {
      if let dropped = text.firstMatch(of: /^mkstore: (\d+) lines? (?:was|were) dropped here/) {
        next += try #require(Int(dropped.output.1))
      } else {
        #expect(text + "\n" == line(next))
        next += 1
      }
    }
    #expect(next == count && lines.last == "after")
    #expect(lines.count + lost.withLock { $0 } > count)
    writer.stop()
  }

  /// A command that says much at once loses nothing, however small the pipe.
  @Test func nothingIsLostWhereSomebodyReads() throws {
    let pipe = Pipe()
    let writer = writer(pipe.fileHandleForWriting.fileDescriptor)
    let reader = PipeReader(pipe.fileHandleForReading)
    let count = 20_000
    for number in 0..<count { writer.write(line(number), isPatient: true) }
    writer.drain(milliseconds: 60_000)
    try pipe.fileHandleForWriting.close()
    #expect(reader.text() == (0..<count).map(line).joined())
    #expect(lost.withLock { $0 } == 0)
    writer.stop()
  }

  @Test func patienceEnds() throws {
    let pipe = Pipe()
    let writer = writer(pipe.fileHandleForWriting.fileDescriptor)
    let took = ContinuousClock().measure {
      for number in 0..<2_000 { writer.write(line(number), isPatient: true) }
    }
    #expect(took < .seconds(20) && lost.withLock { $0 } > 1_000)
    let flush = ContinuousClock().measure { writer.drain(milliseconds: 50) }
    #expect(flush < .seconds(10))
    // The thread that is blocked in the pipe ends with its reader.
    _ = PipeReader(pipe.fileHandleForReading)
    writer.drain(milliseconds: 60_000)
    writer.stop()
  }

  @Test(arguments: ["/dev/full", "pipe without a reader"])
  func whatCannotBeWrittenIsCounted(_ place: String) throws {
    Interrupt.ignoreFailedWrites()
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let file = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
    let handle = place == "/dev/full" ? file : pipe.fileHandleForWriting
    let writer = writer(handle.fileDescriptor)
    for number in 0..<50 { writer.write(line(number)) }
    writer.drain(milliseconds: 60_000)
    #expect(lost.withLock { $0 } == 50)
    writer.stop()
  }
}
