/// What happens where there is no store, or no log, yet.
///
/// ```swift
/// let store = try await Store.open("data", .createIfMissing)
/// let orders = try await store.log("orders", .createIfMissing)
/// let old = try await store.log("invoices")  // must exist
/// ```
public enum Creation: Sendable {
  /// It is refused with `.notFound`: an unmounted volume must not be taken for an empty store.
  case mustExist
  /// A missing or empty directory becomes a store; a missing log is made.
  case createIfMissing
}
