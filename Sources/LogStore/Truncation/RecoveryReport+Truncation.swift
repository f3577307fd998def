extension RecoveryReport {
  /// Adds the truncation that an opening completed.
  mutating func note(_ truncation: Truncation, in directory: LogDirectory) {
    notes.append("completed \(truncation.summary)")
    guard truncation.direction == .remove else { return }
    cuts += truncation.files.map { file in
      Cut(
        file: directory.path(file.name.fileName), position: 0, bytes: file.byteCount,
        keptAs: directory.path("\(KeptBytes.directoryName)/\(file.keptAs)"),
        reason: "the log was truncated to end before offset \(truncation.shortEnd)",
        isWholeFile: true)
    }
  }
}
