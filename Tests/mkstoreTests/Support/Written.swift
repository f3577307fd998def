import Foundation

@testable import mkstore

/// The bytes that `body` writes to a buffer.
func written(_ body: (inout OutputBuffer) throws -> Void) throws -> [UInt8] {
  let directory = try TemporaryDirectory()
  let path = try directory.file("output", [])
  let file = try FileHandle(forWritingTo: URL(filePath: path))
  var out = OutputBuffer(descriptor: file.fileDescriptor, name: path)
  try body(&out)
  try out.flush()
  try file.close()
  return Array(try Data(contentsOf: URL(filePath: path)))
}

/// The same as text.
func writtenText(_ body: (inout OutputBuffer) throws -> Void) throws -> String {
  String(decoding: try written(body), as: UTF8.self)
}
