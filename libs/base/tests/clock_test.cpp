#include <fermata/base/clock.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace fermata {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

const Timestamp evening = sys_days{2026y / November / 21} + 22h + 6s + 123ms;

TEST(SystemClock, IsTheWallClock) {
    const auto before = floor<Duration>(system_clock::now());
    const auto now = Clock::system().now();
    EXPECT_LE(before, now);
    EXPECT_LE(now, system_clock::now());
}

TEST(Micros, GoThereAndBack) {
    EXPECT_EQ(to_micros(from_micros(1'700'000'000'123'456)), 1'700'000'000'123'456);
    EXPECT_EQ(from_micros(0), Timestamp{});
}

TEST(ToRfc3339, PrintsUtcMilliseconds) {
    EXPECT_EQ(to_rfc3339(evening), "2026-11-21T22:00:06.123Z");
    EXPECT_EQ(to_rfc3339(evening + 999us), "2026-11-21T22:00:06.123Z");
    EXPECT_EQ(to_rfc3339(Timestamp{}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(to_rfc3339(from_micros(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(ParseRfc3339, TakesWhatIsPrintedFractionsOffsetsAndDates) {
    EXPECT_EQ(parse_rfc3339("2026-11-21T22:00:06.123Z"), evening);
    EXPECT_EQ(parse_rfc3339("2026-11-21T22:00:06.123456789Z"), evening + 456us);
    EXPECT_EQ(parse_rfc3339("2026-11-21T22:00:06.1Z"), evening - 23ms);
    EXPECT_EQ(parse_rfc3339("2026-11-21T22:00:06Z"), evening - 123ms);
    EXPECT_EQ(parse_rfc3339("2026-11-21T23:00:06.123+01:00"), evening);
    EXPECT_EQ(parse_rfc3339("2026-11-21T16:30:06.123-05:30"), evening);
    EXPECT_EQ(parse_rfc3339("2026-11-21"), sys_days{2026y / November / 21});
    EXPECT_EQ(parse_rfc3339("2024-02-29"), sys_days{2024y / February / 29});
}

TEST(ParseRfc3339, RefusesEverythingElse) {
    for (const auto* bad : {"",
                            "today",
                            "2026",
                            "2026-11",
                            "2026-11-2",
                            "2026-13-01",
                            "2026-00-01",
                            "2026-02-29",
                            "2026-11-00",
                            "26-11-21",
                            "2026/11/21",
                            "2026-11-21T",
                            "2026-11-21T22:00",
                            "2026-11-21T22:00:06",
                            "2026-11-21 22:00:06Z",
                            "2026-11-21T24:00:00Z",
                            "2026-11-21T22:60:00Z",
                            "2026-11-21T22:00:60Z",
                            "2026-11-21T22:00:06.Z",
                            "2026-11-21T22:00:06ZZ",
                            "2026-11-21T22:00:06+0100",
                            "2026-11-21T22:00:06+25:00",
                            "2026-11-21T22:00:06-01:60",
                            "2026-11-21Z",
                            "2026-11-21T22:00:06+",
                            " 2026-11-21"})
        EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
}

TEST(ParseDuration, TakesUnitsFromLongToShort) {
    EXPECT_EQ(parse_duration("90s"), 90s);
    EXPECT_EQ(parse_duration("15m"), 15min);
    EXPECT_EQ(parse_duration("24h"), 24h);
    EXPECT_EQ(parse_duration("7d"), days{7});
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("1h30m"), 90min);
    EXPECT_EQ(parse_duration("1d1h1m1s1ms"), days{1} + 1h + 1min + 1s + 1ms);
    EXPECT_EQ(parse_duration("0s"), 0s);
    EXPECT_EQ(parse_duration("0"), 0s);
}

TEST(ParseDuration, RefusesEverythingElse) {
    for (const auto* bad : {"", "s", "-1s", "-5", "+1s", "1.5s", "1w", "1h 30m", " 1s", "1s ", "30m1h", "1h1h", "1h30",
                            "1S", "h1", "1msx", "one", "45", "00"})
        EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
}

TEST(ParseDuration, RefusesOverflow) {
    EXPECT_NE(parse_duration("106751991d"), std::nullopt);
    EXPECT_EQ(parse_duration("106751992d"), std::nullopt);
    EXPECT_EQ(parse_duration("106751991d24h"), std::nullopt);
    EXPECT_EQ(parse_duration("9223372036855"), std::nullopt);
    EXPECT_EQ(parse_duration("99999999999999999999s"), std::nullopt);
}

TEST(ToHuman, GrowsWithTheDuration) {
    EXPECT_EQ(to_human(Duration{0}), "0.0s");
    EXPECT_EQ(to_human(449ms), "0.4s");
    EXPECT_EQ(to_human(41s), "41.0s");
    EXPECT_EQ(to_human(59'999ms), "59.9s");
    EXPECT_EQ(to_human(60s), "1:00");
    EXPECT_EQ(to_human(12min + 5s), "12:05");
    EXPECT_EQ(to_human(1h + 2min + 3s), "1:02:03");
    EXPECT_EQ(to_human(100h), "100:00:00");
    EXPECT_EQ(to_human(-2s), "-2.0s");
}

}  // namespace
}  // namespace fermata
