/// What happens where there is no store, or no log, yet.
public enum Creation: Sendable {
  /// It is refused with `.notFound`: an unmounted volume must not be taken for an empty store.
  case mustExist
  /// A missing or empty directory becomes a store; a missing log is made.
  case createIfMissing
}
