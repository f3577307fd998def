internal import CShims

extension DiskFile {
  /// Starts writing what was written to the disk, so that a `sync` soon after finds it done.
  ///
  /// Promises nothing and never fails: an error shows at that `sync`. May wait for a busy disk.
  package func startSync() {
    if let descriptor { mk_start_writeback(descriptor) }
  }
}
