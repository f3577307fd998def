/// Keeps a few objects that are dear to make (codec contexts, buffers) between uses. Any thread.
package final class ReusePool<Object: AnyObject>: Sendable {
  private let idle = Locked<[Object]>([])
  private let keptMax: Int

  package init(keptMax: Int = 8) { self.keptMax = keptMax }

  /// An idle object that `matches`, else one that `make` makes.
  package func take(where matches: (Object) -> Bool, orMake make: () -> Object) -> Object {
    let found = idle.withLock { idle -> Object? in
      guard let index = idle.lastIndex(where: matches) else { return nil }
      return idle.remove(at: index)
    }
    return found ?? make()
  }

  /// Gives an object back.
  package func give(_ object: Object) {
    idle.withLock { idle in
      if idle.count < keptMax { idle.append(object) }
    }
  }
}
