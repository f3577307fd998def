import CMkstoreShims
import Glibc

/// What the system reports about an open file besides its bytes.
extension PosixFile {
  func residency(of range: Range<Int>) -> Residency? {
    if range.isEmpty { return .whole }
    let cached = mk_cached_pages(fd, Int64(range.lowerBound), Int64(range.count))
    guard cached >= 0 else { return nil }
    let pageBytes = Int(mk_page_bytes())
    let pages = (range.upperBound - 1) / pageBytes - range.lowerBound / pageBytes + 1
    return cached == 0 ? .nothing : Int(cached) >= pages ? .whole : .part
  }

  func isAtPath() -> Bool? { PosixDisk.isNamed(fd, path) }

  func isLinked() -> Bool? {
    let names = mk_link_count(fd)
    return names < 0 ? nil : names > 0
  }

  func firstHole(from position: Int) -> Int? {
    let found = mk_next_hole(fd, Int64(position))
    if found == -Int64(ENXIO) { return position }
    return found >= 0 ? Int(found) : nil
  }
}
