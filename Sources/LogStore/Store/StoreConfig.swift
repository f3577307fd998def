internal import CMkstoreShims

/// Settings of a store and of the process that owns it.
///
/// ```swift
/// var config = StoreConfig()
/// config.log.segmentBytes = 64 << 20
/// config.openSegmentsMax = 1_000
/// let store = try await Store.open("data", config: config)
/// ```
public struct StoreConfig: Sendable {
  /// Settings of logs that are given none of their own.
  public var log = LogConfig()
  /// Whether a missing or empty directory becomes a new store. Without it, opening one is refused,
  /// so that an unmounted volume is not taken for an empty store.
  package var createsStore = false
  /// Whether the index files are memory-mapped, which makes look-ups faster.
  ///
  /// A mapped file that another process cuts, or that lies on a sector that cannot be read, makes
  /// the kernel send SIGBUS. Opening a store with this setting therefore installs a handler of
  /// SIGBUS in this process, for as long as it lives (`MappingGuard` says what it does and what it
  /// asks of other handlers); such an index is then made from its log, as any index that fails.
  /// Without it, which is the default, nothing is mapped and no handler is installed: indexes are
  /// read by pread, in blocks that are kept, and written by pwrite.
  public var mapsIndexes = false
  /// Most sealed segments kept open at once, over all logs: each costs one descriptor and, where
  /// indexes are mapped, up to two mappings.
  public var openSegmentsMax = 128
  /// Most threads that sync logs at once, for appends that block no thread: one always exists,
  /// others come once several logs wait at the same time.
  public var flusherThreadsMax = 4
  /// From so many logs on that are made durable at the same time, one write of the store's journal
  /// serves all of them, and their own files are synced later; fewer sync their own files. 0: there
  /// is no journal.
  ///
  /// The journal are files of the store's directory that exist in full length from the first such
  /// moment on, of up to `journalBytesMax`; an opening after a crash puts what is in them into the
  /// logs.
  public var journalLogsMin = 3
  /// Most bytes that the journal takes on the disk: it has up to eight files.
  public var journalBytesMax = 256 << 20
  /// At an opening or a close of so many logs, and where the journal is emptied, one sync of the
  /// whole file system takes the place of theirs, if it proves as much (ext4, Linux 5.8) and need
  /// not write much for other programs. 0: never.
  package var sharedSyncMin = 16
  /// Bytes that others on this machine may have to write, for that sync to be made.
  package var sharedSyncOthersBytesMax = 32 << 20
  /// Core that the flusher's threads are pinned to; nil leaves it to the system.
  public var flusherCore: Int?
  /// Cores of the fetcher threads, one thread each; nil leaves the choice to the system.
  public var fetcherCores: [Int?] = [nil]
  /// How far the fetcher threads yield the processor to others, 0 to 19: reading and checking
  /// cold bytes is the work that can wait.
  var fetcherNice = 10
  /// Most threads that load logs when the store is opened. Beyond the number of cores, because
  /// after an unclean stop they wait for syncs, which a disk takes side by side.
  public var loaderThreads = 16
  /// How often the checkpoints are written, milliseconds (Kafka: 60,000).
  public var checkpointIntervalMs = 60_000
  /// `log.retention.check.interval.ms`: how often each log is checked for segments to be deleted.
  public var retentionCheckIntervalMs = 300_000
  /// How long the first check waits after a start whose wall time lies more than a day from the one
  /// that the last session kept, milliseconds.
  public var clockDoubtWaitMs: Int64 = 3_600_000
  /// `producer.id.expiration.ms`: idempotent producers that appended nothing for so long are
  /// forgotten, and may begin with any sequence again. At least 1.
  public var producerExpirationMs: Int64 = 86_400_000
  /// Whether damage is accepted by itself, as `Log.acceptLosses` does it, soon after an opening or
  /// a read has found it: readers then go on after it, and the loss is logged and recorded once.
  public var acceptsLosses = false
  /// How far opening looks at each log; the unsynced end as a rule, everything for `recover`.
  package var surveyDepth = SurveyOptions.Depth.ends
  /// Whether the flusher's thread is started; a simulation calls its steps itself.
  package var startsFlusher = true
  /// Milliseconds since 1970 UTC.
  package var nowMs: @Sendable () -> Int64 = { WallClock.nowMs() }
  /// Monotonic nanoseconds, for what reads wait for and what is flushed from time to time.
  package var monotonicNs: @Sendable () -> Int64 = { mk_monotonic_ns() }

  /// The defaults.
  public init() {}

  /// Refuses settings that no store can work with.
  func validate() throws(LogError) {
    let int32Max = Int(Int32.max)
    try log.validate()
    try LogError.check("openSegmentsMax", openSegmentsMax, 1...int32Max)
    try LogError.check("flusherThreadsMax", flusherThreadsMax, 1...int32Max)
    try LogError.check("journalLogsMin", journalLogsMin, 0...int32Max)
    try LogError.check("journalBytesMax", journalBytesMax, (128 << 10)...Int.max)
    try LogError.check("sharedSyncMin", sharedSyncMin, 0...int32Max)
    try LogError.check("loaderThreads", loaderThreads, 1...int32Max)
    try LogError.check("checkpointIntervalMs", checkpointIntervalMs, 1...int32Max)
    try LogError.check("retentionCheckIntervalMs", retentionCheckIntervalMs, 1...int32Max)
    try LogError.check("clockDoubtWaitMs", clockDoubtWaitMs, 0...Int64.max)
    try LogError.check("producerExpirationMs", producerExpirationMs, 1...Int64.max)
  }
}
