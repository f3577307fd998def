import DiskIO
import LogStore
import StoreTesting
import Testing

/// `meta.properties` and the ids in it.
struct FilesMetaPropertiesTests {
  @Test func theFileOfABrokerIsRead() throws {
    let directory = SharedVectors.kafka("broker-dir")
    let meta = try #require(try MetaProperties.read(PosixDisk(), directory: directory))
    #expect(meta.version == 1)
    #expect(meta.nodeId == 1)
    #expect(meta.clusterId == "AAAAAAAAAAAAAAAAAAAAAQ")
    #expect(meta.properties["directory.id"] == "nb1vgfbDFLLdpKRTASPj5g")
  }

  @Test func aFreshFileReadsBackAndKeepsForeignKeysInPlace() throws {
    let disk = SimulatedDisk()
    try disk.installDirectory("/logs")
    var random = SeededGenerator(seed: 1)
    var meta = MetaProperties.fresh(using: &random)
    meta.properties["x.y z"] = " a=b:c#d!\\ é\t\n\u{C}\r\u{1F600}"
    meta.properties["node.id"] = "5"
    try meta.write(disk, directory: "/logs")
    let found = try #require(try MetaProperties.read(disk, directory: "/logs"))
    #expect(found == meta)
    #expect(found.nodeId == 5)
    #expect(
      found.properties.pairs.map(\.key) == [
        "node.id", "directory.id", "version", "cluster.id", "x.y z",
      ])
    #expect(found.properties["directory.id"].flatMap { Uuid($0) } != nil)
    #expect(found.clusterId?.count == 22)
    meta.properties["x.y z"] = nil
    #expect(meta.properties.pairs.count == 4)
    meta.properties["x.y z"] = nil
    #expect(meta.properties.pairs.count == 4)
  }

  @Test(arguments: [
    ("a=b", "a", "b"), ("a = b ", "a", "b "), ("a b", "a", "b"), ("a:b=c", "a", "b=c"),
    ("a", "a", ""),
    ("  # c\n! d\n\n a=1", "a", "1"), ("a=b\\\n   c", "a", "bc"), ("a=b\\\r\n  c\rx", "a", "bc"),
    (#"a\=b=\u0041\t\\\z"#, "a=b", "A\t\\z"), ("a=x\na=y", "a", "y"), ("a=b\\", "a", "b"),
    ("=b", "", "b"), (#"a=\n\f\rb"#, "a", "\n\u{C}\rb"), ("a=b\n  ", "a", "b"),
    ("a=b\n# c", "a", "b"),
  ])
  func propertiesAreReadAsJavaReadsThem(_ content: String, _ key: String, _ value: String) throws {
    let found = try JavaProperties([UInt8](content.utf8), path: "x")
    #expect(found[key] == value)
  }

  @Test(arguments: [
    "", "version=2", "version=x", "version=1\nnode.id=a", "version=1\ndirectory.id=short",
    "version=1\na=\\u12", "version=1\na=\\uzzzz",
  ])
  func wrongFilesAreRefused(_ content: String) {
    #expect(throws: CheckpointError.self) { try MetaProperties([UInt8](content.utf8), path: "x") }
  }

  @Test func versionZeroNamesTheBroker() throws {
    let meta = try MetaProperties([UInt8]("version=0\nbroker.id=3\n".utf8), path: "x")
    #expect(meta.nodeId == 3)
  }

  @Test func idsAreKafkas() throws {
    // Uuid.ONE_UUID and the largest, by the layout of RFC 4648 section 5.
    #expect(Uuid(high: 0, low: 1).description == "AAAAAAAAAAAAAAAAAAAAAQ")
    #expect(Uuid(high: .max, low: .max).description == "_____________________w")
    #expect(Uuid("AAAAAAAAAAAAAAAAAAAAAQ") == Uuid(high: 0, low: 1))
    #expect(Uuid("7YaUOsTjSHSjHxVoCxw6Ig")?.high == 0xED86_943A_C4E3_4874)
    #expect(Uuid("7YaUOsTjSHSjHxVoCxw6Ig")?.low == 0xA31F_1568_0B1C_3A22)
    for text in ["", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA+A", "AAAAAAAAAAAAAAAAAAAAA"]
    {
      #expect(Uuid(text) == nil)
    }
    let seed = Seed.fromEnvironment()
    var random = seed.generator
    for _ in 0..<1000 {
      let id = Uuid.random(using: &random)
      #expect(Uuid(id.description) == id, "\(seed)")
      #expect(!id.description.hasPrefix("-"), "\(seed)")
      #expect(id.high >> 12 & 0xF == 4 && id.low >> 62 == 2, "\(seed)")
    }
  }
}
