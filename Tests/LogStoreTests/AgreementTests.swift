import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Whatever is in a directory, `verify`, the dry run, the run and `verify` after it tell the same:
/// the damaged ranges with the same offsets and words, and what is done to which file.
///
/// `AGREEMENT_COUNT` sets how many directories are tried, `SEED` the first of them; of a single one
/// it is printed what was done to it.
@Suite struct AgreementTests {
  @Test func everyCommandTellsTheSame() throws {
    let seed = Seed.fromEnvironment(else: 1)
    let folders = try SoundStore.all()
    let count = environmentNumber("AGREEMENT_COUNT") ?? 600
    for number in 0..<count {
      let value = seed.value &+ UInt64(number)
      var random = SeededGenerator(seed: value)
      let folder = folders[random.index(below: folders.count)]
      let store = folder[random.index(below: folder.count)]
      let directory = try MutatedDirectory(
        store, isKilled: random.chance(0.5), SeededGenerator(seed: random.next()))
      let agreement = Agreement(
        directory.disk, opening: random.chance(0.75) ? .recover : .serve,
        ending: Agreement.Ending.allCases[random.index(below: Agreement.Ending.allCases.count)],
        place: "SEED=\(value) AGREEMENT_COUNT=1: \(directory.faults.joined(separator: "; "))")
      if count == 1 { print(agreement.place) }
      agreement.check()
    }
  }
}
