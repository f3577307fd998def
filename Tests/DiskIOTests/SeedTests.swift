import StoreTesting
import Testing

@Suite struct SeedTests {
  /// First outputs for seed 1234567 of the reference C program (prng.di.unimi.it/splitmix64.c).
  @Test func theGeneratorIsSplitMix64() {
    var generator = SeededGenerator(seed: 1_234_567)
    #expect(
      (0..<5).map { _ in generator.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test func chanceFollowsItsProbability() {
    var generator = SeededGenerator(seed: 1)
    #expect((0..<1_000).allSatisfy { _ in !generator.chance(0) })
    #expect((0..<1_000).allSatisfy { _ in generator.chance(1) })
    let hits = (0..<10_000).count { _ in generator.chance(0.25) }
    #expect((2_300...2_700).contains(hits))
  }

  @Test func derivedSeedsDiffer() {
    #expect(Set((0..<1_000).map { Seed(5).derived($0) }).count == 1_000)
    #expect(Seed(5).derived(3) == Seed(5).derived(3))
    #expect(Seed(5).description == "SEED=5")
  }
}
