import Testing

@testable import mkstore

/// Times on the command line and in the output (P36).
struct TimeTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1), ("1969-12-31T23:59:59Z", -1000),
    ("2013-01-01T10:00:00Z", 1_357_034_400_000), ("2013-01-01", 1_356_998_400_000),
    ("2013-01-01T05:00:00-05:00", 1_357_034_400_000),
    ("2013-01-01T15:30:00+05:30", 1_357_034_400_000), ("2013-01-01t10:00:00z", 1_357_034_400_000),
    ("2013-01-01 10:00:00Z", 1_357_034_400_000), ("2000-02-29T00:00:00Z", 951_782_400_000),
    // RFC 3339, section 5.8.
    ("1985-04-12T23:20:50.52Z", 482_196_050_520), ("1996-12-19T16:39:57-08:00", 851_042_397_000),
    ("1990-12-31T23:59:60Z", 662_688_000_000), ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130),
    ("2013-01-01T10:00:00.123999Z", 1_357_034_400_123),
    ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
  ])
  func rfc3339IsRead(_ text: String, _ milliseconds: Int64) {
    #expect(RFC3339.milliseconds(text) == milliseconds)
  }

  @Test(arguments: [
    "", "2013", "2013-1-1", "2013-02-29", "1900-02-29", "2013-13-01", "2013-00-10", "2013-01-32",
    "2013-01-01T", "2013-01-01T10:00Z", "2013-01-01T10:00:00", "2013-01-01T24:00:00Z",
    "2013-01-01T10:60:00Z", "2013-01-01T10:00:61Z", "2013-01-01T10:00:00.Z",
    "2013-01-01T10:00:00+5:00", "2013-01-01T10:00:00+24:00", "2013-01-01T10:00:00Z ",
    " 2013-01-01", "2013-01-01T10:00:00ZZ", "+013-01-01", "yesterday",
  ])
  func otherTextIsNoTime(_ text: String) {
    #expect(RFC3339.milliseconds(text) == nil)
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (-1000, "1969-12-31T23:59:59.000Z"), (-1, "-"),
    (1_357_034_400_123, "2013-01-01T10:00:00.123Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "253402300800000ms"),
    (Int64.max, "9223372036854775807ms"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
  ])
  func timesArePrinted(_ milliseconds: Int64, _ text: String) {
    #expect(RFC3339.text(milliseconds) == text)
  }

  /// Independent of the arithmetic: a calendar counted day by day.
  @Test func everyDayOfSixCenturiesIsRight() {
    var day: Int64 = CivilTime.days(year: 1600, month: 1, day: 1)
    #expect(day == -135_140)
    for year in 1600..<2200 {
      for month in 1...12 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let count = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        #expect(CivilTime.dayCount(year: year, month: month) == count)
        for number in 1...count {
          guard CivilTime.days(year: year, month: month, day: number) == day else {
            Issue.record("\(year)-\(month)-\(number)")
            return
          }
          let time = CivilTime(milliseconds: day * CivilTime.millisecondsPerDay + 86_399_999)
          guard time.year == year, time.month == month, time.day == number, time.hour == 23,
            time.minute == 59, time.second == 59, time.millisecond == 999
          else {
            Issue.record("\(time)")
            return
          }
          day += 1
        }
      }
    }
  }

  @Test(arguments: [
    ("-1h", -3_600_000), ("+1m", 60_000), ("-1d12h", -129_600_000), ("-250ms", -250), ("now", 0),
    ("-2w", -1_209_600_000), ("-1h30m15s", -5_415_000),
  ])
  func relativeTimesCountFromNow(_ text: String, _ distance: Int64) {
    #expect(
      TimeArgument(argument: text)?.milliseconds(nowMs: 5_000_000_000) == 5_000_000_000 + distance)
  }

  @Test func plainNumbersAreMilliseconds() {
    #expect(TimeArgument(argument: "1357034400000")?.moment == .absolute(1_357_034_400_000))
    #expect(TimeArgument(argument: "-5")?.moment == .absolute(-5))
  }

  @Test(arguments: [
    "", "-", "1x", "-h", "1h2", "--1h", "99999999999999999999", "-999999999999999w",
  ])
  func otherArgumentsAreRefused(_ text: String) {
    #expect(TimeArgument(argument: text) == nil)
  }
}
