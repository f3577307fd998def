import DiskIO
import MkstoreBytes

/// Moves a simulated file's content to and from the file in memory that its mappings share.
///
/// A failure comes from the machine (no memory left), not the simulated disk, and traps.
enum MappedContent {
  /// A file in memory with this content; holes and zeros take no memory.
  static func memory(with pages: PagedBytes, path: String) throws(DiskError) -> MemoryFile {
    let memory = try MemoryFile(path: path)
    // Pages that were only allocated read as zeros anyway; most of an index is like that.
    pages.forEachPage { index, page in
      if page == PagedBytes.zeroPage { return }
      write(page.span, to: memory, at: index * PagedBytes.pageBytes)
    }
    resize(memory, from: pages.size, to: pages.size)
    return memory
  }

  /// `pages` with later stores through mappings. Examines only accessed pages.
  static func gathered(from memory: MemoryFile, into pages: PagedBytes) -> PagedBytes {
    var content = pages
    var next = memory.nextData(from: 0)
    while let position = next, position < pages.size {
      let index = position / PagedBytes.pageBytes
      let page = page(of: memory, index)
      if page != content.page(index) { content.setPage(index, page) }
      next = memory.nextData(from: (index + 1) * PagedBytes.pageBytes)
    }
    content.resize(to: pages.size)
    return content
  }

  static func read(
    _ memory: MemoryFile, into buffer: inout MutableSpan<UInt8>, at position: Int
  ) -> Int {
    do throws(DiskError) {
      return try memory.file.read(into: &buffer, at: position)
    } catch {
      preconditionFailure("memory of a simulated file: \(error)")
    }
  }

  static func write(_ bytes: Span<UInt8>, to memory: MemoryFile, at position: Int) {
    do throws(DiskError) {
      try memory.file.write(bytes, at: position)
    } catch {
      preconditionFailure("memory of a simulated file: \(error)")
    }
  }

  /// Sets the size. Bytes that a mapping stored after the old end in the last page are no content.
  static func resize(_ memory: MemoryFile, from oldSize: Int, to size: Int) {
    do throws(DiskError) {
      try memory.file.truncate(to: size)
      let tail = min(size, PagedBytes.pages(in: oldSize) * PagedBytes.pageBytes) - oldSize
      if tail > 0 {
        let zeros = PagedBytes.zeroPage
        try memory.file.write(zeros.span.extracting(0..<tail), at: oldSize)
      }
    } catch {
      preconditionFailure("memory of a simulated file: \(error)")
    }
  }

  /// One page, with zeros after the file's end.
  private static func page(of memory: MemoryFile, _ index: Int) -> [UInt8] {
    var page = PagedBytes.zeroPage
    var target = page.mutableSpan
    _ = read(memory, into: &target, at: index * PagedBytes.pageBytes)
    return page
  }
}
