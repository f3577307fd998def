extension FieldReader {
  /// Reads one whole structure.
  mutating func structure<Structure: Coded>() throws(ProtocolError) -> Structure {
    var structure = Structure()
    try structure.code(&self)
    return structure
  }
}
