import Glibc
import LogStore

/// Time from opening a store that was not closed to being ready.
func recoveryRows(_ scale: Scale) -> [Row] {
  [
    Row(
      name: "open after a kill, 1 GB log, mark in place", unit: "opens/s", goal: ">= 50 (20 ms)",
      ours: {
        var fixture: Fixture? = try Fixture("recover", segmentBytes: 256 << 20)
        let path = fixture!.path
        var bytes = try batch(records: 100, valueBytes: 92)
        for _ in 0..<scale.count(100_000) { try fixture!.log.appendBlocking(batch: &bytes) }
        try fixture!.log.flushBlocking()
        let end = fixture!.log.logEndOffset
        fixture = nil  // No close: as after a kill.
        let start = nowNs()
        let store = try Store.openBlocking(path)
        let seconds = Double(nowNs() - start) / 1e9
        precondition(store.logs[0].logEndOffset == end)
        try store.closeBlocking()
        removeTree(path)
        return Pass(seconds: seconds, units: 1)
      },
      ceiling: nil)
  ]
}
