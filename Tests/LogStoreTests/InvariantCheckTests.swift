import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// An error of our own that breaks an invariant ends the process before it reaches the disk.
@Suite struct InvariantCheckTests {
  /// CONTRIBUTING.md#invariants.
  @Test func theDearChecksAreBuiltIntoTests() {
    #expect(InvariantChecks.areOn)
  }

  private static func store() throws -> CrashStore {
    let store = try CrashStore(SimulatedDisk(seed: 61), CrashStore.config(segmentBytes: 500))
    var model = LogModel()
    for batch in SampleBatches.small[..<12] { try store.append(batch, &model) }
    return store
  }

  private static func header(_ baseOffset: Int64) throws -> (BatchHeader, [UInt8]) {
    var bytes = SampleBatches.small[0]
    var span = bytes.mutableSpan
    assignOffset(&span, baseOffset: baseOffset, leaderEpoch: 0)
    return (try BatchHeader(bytes.span), bytes)
  }

  private static func check(_ trap: ExitTest.Result?, names invariant: String) {
    let text = String(decoding: trap?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains(" failed: \(invariant): "), "\(text.prefix(500))")
  }

  @Test func anEndThatFallsTraps() async {
    let trap = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      OffsetNotifier(5).publish(4)
    }
    Self.check(trap, names: "I1")
    OffsetNotifier(5).publish(5)
  }

  @Test func aSegmentBeforeTheLastOneTraps() async {
    let trap = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let store = try InvariantCheckTests.store()
      let first = store.log.store.state.segments[0]
      store.log.store.state.segments.last?.markSealed()
      store.log.store.roll(to: first)
    }
    Self.check(trap, names: "I2")
  }

  @Test func aSegmentAfterOneThatIsWrittenToTraps() async {
    let trap = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let store = try InvariantCheckTests.store()
      store.log.store.roll(
        to: Segment(
          baseOffset: store.log.logEndOffset + 1, directory: store.log.environment.directory,
          end: nil, isSealed: false))
    }
    Self.check(trap, names: "I3")
  }

  @Test func anAppendToASealedSegmentTraps() async {
    let trap = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let store = try InvariantCheckTests.store()
      store.log.store.state.segments.last?.markSealed()
      _ = store.tryAppend(SampleBatches.small[0])
    }
    Self.check(trap, names: "I3")
  }

  @Test func anAppendBehindTheEndTraps() async {
    let trap = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let store = try InvariantCheckTests.store()
      var active = try #require(store.log.writer.active)
      active.position += 1
      let (header, bytes) = try InvariantCheckTests.header(active.nextOffset)
      try active.append(bytes.span, header, indexIntervalBytes: 100)
    }
    Self.check(trap, names: "I4")
  }

  /// I7, by what the disk knows: the bytes were never synced.
  @Test func aRecoveryPointOverUnsyncedBytesTraps() async {
    let trap = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let store = try InvariantCheckTests.store()
      var bytes = SampleBatches.small[0]
      var span = bytes.mutableSpan
      _ = try store.log.writeBlocking(batch: &span)
      store.log.pipeline.role.take()
      let work = try #require(store.log.writer.takeFlushWork())
      // As if a shared sync had covered it.
      store.log.pipeline.noteOwnSync(work)
    }
    Self.check(trap, names: "I7")
  }

  @Test func aSyncedFlushIsNoError() throws {
    let store = try Self.store()
    #expect(store.log.recoveryPoint == store.log.logEndOffset)
  }
}
