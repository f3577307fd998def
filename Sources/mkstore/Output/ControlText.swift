import RecordFormat

/// The content of control records, for printing.
enum ControlText {
  /// nil for an unreadable one: its bytes are shown, and verify reports what is wrong with it.
  static func read(_ record: borrowing RecordView) -> ControlRecord? {
    do throws(BatchError) {
      return try ControlRecord(record)
    } catch {
      return nil
    }
  }
}
