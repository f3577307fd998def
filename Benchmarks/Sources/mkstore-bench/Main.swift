import Glibc

/// Every speed claim, measured beside its ceiling in one run: `swift run -c release mkstore-bench
/// [DIRECTORY] [--tiny] [--only WORD] [--keep-pages] [--list]`.
@main
struct Main {
  static func main() throws {
    let arguments = CommandLine.arguments
    if let peer = arguments.firstIndex(of: "--peer") {
      return try Peers.run(Array(arguments[(peer + 1)...]))
    }
    let addresses = arguments.indices.dropLast().filter { arguments[$0] == "--against" }
    if !addresses.isEmpty {
      printMachine()
      return try compare(addresses.map { arguments[$0 + 1] }, arguments)
    }
    let scale = Scale(
      isTiny: arguments.contains("--tiny"), keepsPages: arguments.contains("--keep-pages"))
    let only = arguments.firstIndex(of: "--only").map { arguments[$0 + 1] }
    if arguments.contains("--list") {
      // Nothing is measured, so a small scale makes the rows.
      let small = Scale(isTiny: true)
      try makeBenchDirectory()
      let rows =
        try appendRows(small) + readRows(small) + engineBudgetRows() + recoveryRows(small)
        + retentionRows(small) + serveRows(small)
      for row in rows {
        print(row.name)
        row.cleanUp()
      }
      return
    }
    try makeBenchDirectory()
    printMachine()
    let rows =
      try appendRows(scale) + readRows(scale) + engineBudgetRows() + recoveryRows(scale)
      + retentionRows(scale) + serveRows(scale)
    for row in rows {
      if let only, !row.name.contains(only) { continue }
      try row.run(scale)
      // A line at a time also into a file: a run may be stopped.
      fflush(nil)
    }
    print("hash \(String(sink, radix: 16))")
  }

  /// What the figures were measured on.
  static func printMachine() {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: name.release) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    var model = "unknown processor"
    if let file = fopen("/proc/cpuinfo", "r") {
      var line = [CChar](repeating: 0, count: 512)
      while fgets(&line, 512, file) != nil {
        let text = String(
          decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if text.hasPrefix("model name") {
          model = String(text.drop { $0 != ":" }.dropFirst(2).dropLast())
          break
        }
      }
      fclose(file)
    }
    print("machine: \(model), \(cores) cores, Linux \(release), files in \(benchDirectory)")
  }
}
