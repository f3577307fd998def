/// A word of this module, whose name a dependency must not have.
public let ownBytes = "a module named Bytes"
