internal import DiskIO

/// A topic's settings as stored in a log's directory.
package struct LogSettings {
  /// The settings that differ from the store's; empty if they cannot be read.
  var overrides = TopicConfig()
  /// Why nothing may be appended: a setting cannot be read, and it might forbid the append.
  var fault: LogError?
  /// The policy session (`StoreSession`) in which the log's retention was set; nil if it was not.
  var policySession: UInt64?
  /// Another note.
  var note: String?
}

extension LogSettings {
  /// Reads a log's settings. A file without a CRC, written by hand or by an older engine, gets one.
  init(readingFrom directory: LogDirectory) {
    let path = directory.path(TopicConfigFile.name)
    do throws(CheckpointError) {
      guard let found = try TopicConfigFile.read(directory.disk, directory: directory.path)
      else { return }
      overrides = found.config
      policySession = found.policySession
      if let text = found.unchecked { note = Self.addChecksum(to: text, in: directory) }
    } catch {
      switch error {
      case .disk(let error): fault = .settingsUnreadable(path: path, reason: "\(error)")
      case .unreadable(_, let line, let what):
        let place = line.map { "line \($0): " } ?? ""
        fault = .settingsUnreadable(path: path, reason: place + what)
      }
    }
  }

  private static func addChecksum(to text: [UInt8], in directory: LogDirectory) -> String? {
    do throws(DiskError) {
      try TopicConfigFile.write(text: text, directory.disk, directory: directory.path)
      return nil
    } catch {
      // The next opening tries again.
      return "the settings of the topic got no CRC: \(error)"
    }
  }

  /// If a setting of one partition cannot be read, no partition of the topic accepts records.
  static func spreadFaults(_ settings: inout [LogSettings], of names: [TopicPartition]) {
    var faults: [String: LogError] = [:]
    for (name, found) in zip(names, settings) {
      if let fault = found.fault, faults[name.topic] == nil { faults[name.topic] = fault }
    }
    guard !faults.isEmpty else { return }
    for (index, name) in names.enumerated() {
      settings[index].fault = settings[index].fault ?? faults[name.topic]
    }
  }
}
