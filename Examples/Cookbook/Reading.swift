import LogStore

/// A consumer that keeps its position in a log: after a crash a record may be handled again, and
/// none is skipped.
func positions(_ store: Store) async throws {
  let jobs = try await store.log("jobs", .createIfMissing)
  let position = try await store.log("jobs-position", .createIfMissing)
  try await jobs.append([NewRecord(value: "resize a.png"), NewRecord(value: "resize b.png")])

  let last = try await position.record(at: max(0, position.logEndOffset - 1))
  let start = last?.text.flatMap { Int64($0) } ?? 0
  for try await job in jobs.records(from: .offset(start), through: .currentEnd) {
    print("positions: \(job.text ?? "")")
    // After the work, and before the next record is taken.
    try await position.append([NewRecord(value: "\(job.offset + 1)")])
  }
  // Older positions are not needed.
  try await position.deleteRecords(before: position.logEndOffset - 1)
}

/// Catching up with what is there, then following what is appended, without a gap between the two.
func tailing(_ store: Store) async throws {
  let chat = try await store.log("chat", .createIfMissing)
  let hello = try await chat.append([NewRecord(key: "anna", value: "hello")])

  let reader = Task {
    var seen: [String] = []
    // One stream does both. It waits at the log's end, and ends when its task is cancelled.
    for try await record in chat.records(from: .offset(hello.baseOffset)) {
      seen.append(record.text ?? "")
      if seen.count == 2 { break }
    }
    return seen
  }
  try await chat.append([NewRecord(key: "ben", value: "hi anna")])
  print("tailing: \(try await reader.value)")
}

/// From a moment on.
func times(_ store: Store) async throws {
  let log = try await store.log("temperatures", .createIfMissing)
  let noon = Timestamp(millisecondsSince1970: 1_700_000_000_000)
  try await log.append(
    (0..<5).map { NewRecord(value: "\(20 + $0)", time: noon + .seconds($0 * 60)) })

  let first = try await log.firstRecord(since: noon + .seconds(90))
  print("times: the first one after 90 seconds is \(first?.text ?? "none")")
  for try await record in log.records(from: .since(noon + .seconds(180)), through: .currentEnd) {
    print("times: \(record.text ?? "")")
    break
  }
}
