/// What an operator must do about a wrong file beside a log that opening does not rebuild.
enum SideFileRemedy {
  static let metaProperties =
    "put it back from a copy or correct it by hand; or remove it: the store then gets a new id, "
    + "and a broker of its cluster refuses it"
  static let partitionMetadata =
    "put it back from a copy or from another partition of the topic; or remove it: if no other "
    + "partition has it, the topic gets a new id when it is next served"
  static let leaderEpochs =
    "put it back from a copy or another replica; or remove it: new batches then have epoch 0, and "
    + "leader epochs are not checked"
  static let topicSettings =
    "put the settings right and remove the line '#crc32c', or remove the file if the store's "
    + "settings will do; until then nothing is appended to the topic"
  static let accepted =
    "put it back from a copy, or move it away: it only lists which losses were accepted, and is "
    + "needed to undo that"
  static let truncated =
    "put it back from a copy, or move it away: it is only needed to undo the last truncation"
  static let history = "remove it: it is only a record for people to read"
  static let transactionIndex =
    "put it back from a copy or another replica; until then consumers with read_committed may be "
    + "given records of aborted transactions; do not remove it, or they are given all of the "
    + "segment's"
  static let noFile = "move it away"
  static let brokenLink = "repair what it leads to, or remove it"
  static let noLog = "give the log's directory to verify it"
}
