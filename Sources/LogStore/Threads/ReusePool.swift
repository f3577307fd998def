/// Keeps a few objects that are expensive to make (codec contexts, buffers) between uses. Any
/// thread.
final class ReusePool<Object: AnyObject>: Sendable {
  private let idle = Locked<[Object]>([])
  private let keptMax: Int

  init(keptMax: Int = 8) { self.keptMax = keptMax }

  /// An idle object that `matches`, or else a new one from `make`.
  func take(where matches: (Object) -> Bool, orMake make: () -> Object) -> Object {
    let found = idle.withLock { idle -> Object? in
      guard let index = idle.lastIndex(where: matches) else { return nil }
      return idle.remove(at: index)
    }
    return found ?? make()
  }

  /// Returns an object to the pool.
  func give(_ object: Object) {
    idle.withLock { idle in
      if idle.count < keptMax { idle.append(object) }
    }
  }
}
