import LogStore

/// An event-sourced ledger: transfers are a log, balances are computed from it, and a snapshot of
/// the balances saves the next start from reading the whole log.
func ledger(_ store: Store) async throws {
  let transfers = try await store.log("transfers", .createIfMissing)
  let snapshots = try await store.log("ledger-snapshots", .createIfMissing)

  // What is known: the last snapshot, and every transfer after it.
  var balances: [String: Int] = [:]
  var next = transfers.logStartOffset
  if let last = try await snapshots.record(at: max(0, snapshots.logEndOffset - 1)) {
    for line in (last.text ?? "").split(separator: "\n") {
      let parts = line.split(separator: "=")
      if parts[0] == "next" {
        next = Int64(parts[1])!
      } else {
        balances["\(parts[0])"] = Int(parts[1])
      }
    }
  }
  for try await record in transfers.records(from: .offset(next), through: .currentEnd) {
    balances[record.keyText ?? "", default: 0] += Int(record.text ?? "") ?? 0
    next = record.offset + 1
  }

  // A transfer is decided on what was read: if another one came meanwhile, it is not appended.
  if balances["anna", default: 0] == 0 {
    let receipt = try await transfers.append(
      [NewRecord(key: "anna", value: "100"), NewRecord(key: "ben", value: "-100")],
      expectedEndOffset: next)
    balances["anna", default: 0] += 100
    balances["ben", default: 0] -= 100
    next = receipt.lastOffset + 1
  }

  // The transfers must be durable before the snapshot is: `append` returns once they are. The other
  // way round a power cut could leave a snapshot of transfers that are lost.
  let lines = ["next=\(next)"] + balances.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  try await snapshots.append([NewRecord(value: lines.joined(separator: "\n"))])
  print("ledger: anna has \(balances["anna"]!), ben \(balances["ben"]!)")
}
