import Glibc
import Testing

@testable import DiskIO

@Suite struct InterruptedCallTests {
  /// Descriptor 4 has the number of EINTR: opening must not be tried again because of it.
  @Test func descriptorFourIsNotAnInterruption() {
    var calls = 0
    let result = retryingDescriptor {
      calls += 1
      return EINTR
    }
    #expect(result == EINTR)
    #expect(calls == 1)
  }

  @Test(arguments: [0, EINTR, 7] as [Int32])
  func interruptedOpensAreTriedAgain(result: Int32) {
    var calls = 0
    let found = retryingDescriptor {
      calls += 1
      return calls < 3 ? -EINTR : result
    }
    #expect(found == result)
    #expect(calls == 3)
  }

  @Test(arguments: [0, EIO, ENOSPC] as [Int32])
  func interruptedCallsAreTriedAgain(result: Int32) {
    var calls = 0
    let found = retrying {
      calls += 1
      return calls < 3 ? EINTR : result
    }
    #expect(found == result)
    #expect(calls == 3)
  }
}
