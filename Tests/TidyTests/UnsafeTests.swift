import Testing

/// Where the compiler's memory checks may be left, and that each such place says why it is right.
struct UnsafeTests {
  /// Files that may use `unsafe`: raw loads, system calls, codec libraries, threads. Nothing else.
  private static let allowed: Set = [
    // Raw bytes.
    "Sources/MkstoreBytes/Array+Span.swift",
    "Sources/MkstoreBytes/ByteReader.swift",
    "Sources/MkstoreBytes/ByteStorage.swift",
    "Sources/MkstoreBytes/CRC32C.swift",
    "Sources/MkstoreBytes/MutableSpan+BigEndian.swift",
    "Sources/MkstoreBytes/Span+BigEndian.swift",
    // Records encoded through raw memory (docs/performance.md#encode), and zlib's CRC-32.
    "Sources/RecordFormat/LegacyMessage.swift",
    "Sources/RecordFormat/RecordBatchBuilder.swift",
    "Sources/RecordFormat/RecordEncoder.swift",
    // The codecs' C libraries.
    "Sources/RecordFormat/Codecs/GzipInflater.swift",
    "Sources/RecordFormat/Codecs/LZ4Inflater.swift",
    "Sources/RecordFormat/Codecs/SnappyInflater.swift",
    "Sources/RecordFormat/Codecs/ZstdCompressor.swift",
    "Sources/RecordFormat/Codecs/ZstdInflater.swift",
    // System calls about files, and the one mapping.
    "Sources/DiskIO/DiskError+Text.swift",
    "Sources/DiskIO/DiskFile+Send.swift",
    "Sources/DiskIO/LockRegistry.swift",
    "Sources/DiskIO/MappedRegion.swift",
    "Sources/DiskIO/PosixDisk.swift",
    "Sources/DiskIO/PosixFile+Send.swift",
    "Sources/DiskIO/PosixFile.swift",
    // Memory aligned for writes past the page cache.
    "Sources/LogStore/Journal/JournalBuffer.swift",
    "Sources/StoreTesting/Disk/SimulatedFile.swift",
    // Threads, their lock, and the clock.
    "Sources/LogStore/Store/WallClock.swift",
    "Sources/LogStore/Threads/AllowedProcessors.swift",
    "Sources/LogStore/Threads/LiveValue.swift",
    "Sources/LogStore/Threads/Locked.swift",
    "Sources/LogStore/Threads/PinnedThread.swift",
    "Sources/LogStore/Threads/WorkerThreads.swift",
    // Signals and the standard streams.
    "Sources/mkstore/System/Interrupt.swift",
    "Sources/mkstore/System/StandardStreams.swift",
    // Bytes of a network buffer, changed in place.
    "Sources/MkstoreServer/Connection/ByteBuffer+MutableBytes.swift",
    // An environment variable.
    "Sources/StoreTesting/Seed.swift",
  ]

  @Test func unsafeStandsOnlyInListedFiles() {
    let found = Set(
      SourceTree.sources.filter {
        $0.path.hasSuffix(".swift")
          && !$0.matches(of: /\bunsafe\b|\bUnsafe[A-Z]\w+/, inCode: true).isEmpty
      }.map(\.path))
    #expect(found.subtracting(Self.allowed).sorted() == [], "not listed")
    #expect(Self.allowed.subtracting(found).sorted() == [], "listed, but no longer unsafe")
  }

  @Test func everyUnsafeFileProvesItsCase() {
    let silent = SourceTree.sources.filter {
      Self.allowed.contains($0.path) && $0.matches(of: /Safe:/).isEmpty
    }
    #expect(silent.map(\.path) == [])
  }

  @Test func uncheckedSendableIsProvenBesideIt() {
    var findings: [String] = []
    for file in SourceTree.sources {
      for (number, text) in file.code
      where text.contains("@unchecked Sendable") || text.contains("nonisolated(unsafe)") {
        let around = file.lines[max(0, number - 12)..<min(file.lines.count, number + 6)]
        if !around.contains(where: { $0.contains(/Safe:|Safe to send|@unchecked`?:/) }) {
          findings.append("\(file.path):\(number): no proof beside it")
        }
      }
    }
    #expect(findings.isEmpty, "\(findings.listed)")
  }
}
