import RecordFormat

/// What control records say, for printing.
enum ControlText {
  /// Nil for one that cannot be read: it is shown as the bytes it has, and verify says what is
  /// wrong with it.
  static func read(_ record: borrowing RecordView) -> ControlRecord? {
    do throws(BatchError) {
      return try ControlRecord(record)
    } catch {
      return nil
    }
  }
}
