/// One item that a power cut may keep or lose independently of the others.
///
/// ```swift
/// for item in disk.unsyncedItems { print(item) }  // sector /data/a 3
/// ```
public enum UnsyncedItem: Sendable, Hashable, CustomStringConvertible {
  /// A change of a name, as `operation path`.
  case name(String)
  /// A file's size.
  case size(path: String, durable: Int, live: Int)
  /// Content of one 512-byte sector, counted from 0.
  case sector(path: String, Int)

  /// One line for people.
  public var description: String {
    switch self {
    case .name(let text): text
    case .size(let path, let durable, let live): "size \(path) \(durable) -> \(live)"
    case .sector(let path, let index): "sector \(path) \(index)"
    }
  }
}
