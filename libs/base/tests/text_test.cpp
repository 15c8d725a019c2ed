#include <fermata/base/text.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace fermata {
namespace {

using Words = std::vector<std::string>;
const Words verbs{"start", "stop", "status", "restart"};

TEST(Nearest, FindsAMissingASwappedAndAWrongLetter) {
    EXPECT_EQ(nearest("restrt", verbs), "restart");
    EXPECT_EQ(nearest("tsop", verbs), "stop");
    EXPECT_EQ(nearest("stotus", verbs), "status");
}

TEST(Nearest, IgnoresCase) {
    EXPECT_EQ(nearest("STATUS", verbs), "status");
    EXPECT_EQ(nearest("csvreader", Words{"csvReader"}), "csvReader");
}

TEST(Nearest, PrefersTheNearerAndOfEqualsTheFirst) {
    EXPECT_EQ(nearest("abcdef", Words{"abcdxy", "abcdex"}), "abcdex");
    EXPECT_EQ(nearest("abcdef", Words{"abcdex", "abcdey"}), "abcdex");
}

TEST(Nearest, IsNothingBeyondAThirdOfTheWord) {
    EXPECT_EQ(nearest("abc", Words{"axx"}), std::nullopt);
    EXPECT_EQ(nearest("ab", Words{"ax"}), std::nullopt);
    EXPECT_EQ(nearest("", verbs), std::nullopt);
    EXPECT_EQ(nearest("start", Words{}), std::nullopt);
}

TEST(DidYouMean, IsASentenceOrNothing) {
    EXPECT_EQ(did_you_mean("stpo", verbs), "; did you mean \"stop\"?");
    EXPECT_EQ(did_you_mean("zebra", verbs), "");
}

TEST(WithCommas, GroupsThousands) {
    EXPECT_EQ(with_commas(0), "0");
    EXPECT_EQ(with_commas(999), "999");
    EXPECT_EQ(with_commas(1000), "1,000");
    EXPECT_EQ(with_commas(1234567), "1,234,567");
    EXPECT_EQ(with_commas(-123), "-123");
    EXPECT_EQ(with_commas(-1234), "-1,234");
    EXPECT_EQ(with_commas(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(Printable, KeepsTextAndEscapesWhatATerminalWouldObey) {
    EXPECT_EQ(printable("Zürich 日本 🎼"), "Zürich 日本 🎼");
    EXPECT_EQ(printable("a\nb"), "a\\nb");
    EXPECT_EQ(printable("\x1B[31mred"), "\\x1B[31mred");
    EXPECT_EQ(printable("tab\t nul" + std::string(1, '\0') + "del\x7F"), "tab\\x09 nul\\x00del\\x7F");
    EXPECT_EQ(printable("c1 \xC2\x9B"), "c1 \\xC2\\x9B");
}

TEST(Printable, EscapesInvalidUtf8ByteByByte) {
    EXPECT_EQ(printable("M\xFCller"), "M\\xFCller");
    EXPECT_EQ(printable("\xE2\x82"), "\\xE2\\x82");
}

TEST(Printable, CutsAtTheLimitBetweenCharacters) {
    EXPECT_EQ(printable("abcdef", 6), "abcdef");
    EXPECT_EQ(printable("abcdefg", 6), "abcdef…");
    EXPECT_EQ(printable("abcü", 4), "abc…");
    EXPECT_EQ(printable("abc\n", 4), "abc…");
    EXPECT_EQ(printable("x", 0), "…");
    EXPECT_EQ(printable("", 0), "");
}

TEST(MatchesGlob, LiteralsMatchThemselves) {
    EXPECT_TRUE(matches_glob("COMPLETED", "COMPLETED"));
    EXPECT_FALSE(matches_glob("COMPLETED", "COMPLETED "));
    EXPECT_FALSE(matches_glob("COMPLETED", "COMPLETE"));
    EXPECT_FALSE(matches_glob("completed", "COMPLETED"));
    EXPECT_TRUE(matches_glob("[a]\\.+", "[a]\\.+"));
    EXPECT_TRUE(matches_glob("", ""));
    EXPECT_FALSE(matches_glob("", "a"));
}

TEST(MatchesGlob, QuestionMarkIsOneCharacter) {
    EXPECT_TRUE(matches_glob("A?C", "ABC"));
    EXPECT_TRUE(matches_glob("A?C", "AüC"));
    EXPECT_FALSE(matches_glob("A??C", "AüC"));
    EXPECT_FALSE(matches_glob("?", ""));
    EXPECT_TRUE(matches_glob("?", "\xFF"));
}

TEST(MatchesGlob, StarIsAnyRun) {
    EXPECT_TRUE(matches_glob("*", ""));
    EXPECT_TRUE(matches_glob("*", "anything"));
    EXPECT_TRUE(matches_glob("a*c", "abcbc"));
    EXPECT_FALSE(matches_glob("a*c", "abcb"));
    EXPECT_TRUE(matches_glob("*a*b*", "xxaxxbxx"));
    EXPECT_FALSE(matches_glob("*a*b*", "xxbxxaxx"));
    EXPECT_TRUE(matches_glob("a**", "a"));
    EXPECT_TRUE(matches_glob("*?ab", "aab"));
    EXPECT_TRUE(matches_glob("*?", "ü"));
    EXPECT_FALSE(matches_glob("*??", "ü"));
}

TEST(MatchesGlob, ManyStarsTakeNoExponentialTime) {
    std::string pattern;
    for (int i = 0; i < 30; ++i) pattern += "a*";
    EXPECT_FALSE(matches_glob(pattern + "b", std::string(2000, 'a')));
}

TEST(ParseInt64, TakesWholeNumbersOnly) {
    EXPECT_EQ(parse_int64("0"), 0);
    EXPECT_EQ(parse_int64("-17"), -17);
    EXPECT_EQ(parse_int64("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(parse_int64("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
    for (const auto* bad : {"", "-", "+1", " 1", "1 ", "1.0", "0x10", "9223372036854775808", "one", "--1"})
        EXPECT_EQ(parse_int64(bad), std::nullopt) << bad;
}

TEST(ParseInt64, IsTheSameNumberWhateverItsLength) {
    std::mt19937_64 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    for (int i = 0; i < 10'000; ++i) {
        const auto number = static_cast<std::int64_t>(random()) >> random() % 64;
        std::string text = std::to_string(number);
        ASSERT_EQ(parse_int64(text), number);
        text.insert(number < 0 ? 1 : 0, random() % 20, '0');
        ASSERT_EQ(parse_int64(text), number) << text;
        text[random() % text.size()] = 'x';
        ASSERT_EQ(parse_int64(text), std::nullopt) << text;
    }
}

TEST(ParseDouble, TakesFiniteDecimalNumbersOnly) {
    EXPECT_EQ(parse_double("0"), 0.0);
    EXPECT_EQ(parse_double("-1.5"), -1.5);
    EXPECT_EQ(parse_double("1e3"), 1000.0);
    EXPECT_EQ(parse_double("0.1"), 0.1);
    for (const auto* bad : {"", "-", "+1.0", " 1", "1 ", "1,5", "inf", "-inf", "nan", "0x1p3", "1e999", "one"})
        EXPECT_EQ(parse_double(bad), std::nullopt) << bad;
}

TEST(ParseDouble, IsTheNearestOneWhateverItsLength) {
    std::mt19937_64 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    for (int i = 0; i < 100'000; ++i) {
        std::string digits = std::to_string(random() >> random() % 64);
        const std::size_t point = random() % (digits.size() + 1);
        const std::string text = (random() % 2 == 0 ? "-" : "") + digits.insert(point, ".");
        double nearest = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nearest);
        const bool is_number = error == std::errc() && end == text.data() + text.size();
        const auto parsed = parse_double(text);
        ASSERT_EQ(parsed.has_value(), is_number) << text;
        if (!is_number) continue;
        ASSERT_EQ(std::bit_cast<std::uint64_t>(*parsed), std::bit_cast<std::uint64_t>(nearest)) << text;
    }
    EXPECT_TRUE(std::signbit(parse_double("-0.0").value()));
    for (const std::string_view bad : {"1.5.2", "--1.5", "1. 5", "1.x", ".", "-.", "1:5.0", "+1.5"})
        EXPECT_EQ(parse_double(bad), std::nullopt) << bad;
}

TEST(Split, GivesOnePartMoreThanThereAreSeparators) {
    EXPECT_EQ(split("a,b,c", ','), (Words{"a", "b", "c"}));
    EXPECT_EQ(split(",a,,b,", ','), (Words{"", "a", "", "b", ""}));
    EXPECT_EQ(split("abc", ','), (Words{"abc"}));
    EXPECT_EQ(split("", ','), (Words{""}));
}

TEST(Trim, TakesSpaceOffBothEnds) {
    EXPECT_EQ(trim(" \t\r\na b\f\v "), "a b");
    EXPECT_EQ(trim("ab"), "ab");
    EXPECT_EQ(trim(" \n"), "");
    EXPECT_EQ(trim(""), "");
}

TEST(IsUtf8, TakesEveryLengthOfCharacterAndItsLimits) {
    for (const auto* good : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                             "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        EXPECT_TRUE(is_utf8(good)) << printable(good);
}

TEST(IsUtf8, RefusesOverlongSurrogatesStraysAndCutCharacters) {
    for (const auto* bad :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82", "\xE2\x82\x41",
          "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xFE"})
        EXPECT_FALSE(is_utf8(bad)) << printable(bad);
}

TEST(IsUtf8, FindsTheBadByteWhereverItStands) {
    for (std::size_t length = 1; length <= 40; ++length) {
        for (std::size_t bad = 0; bad < length; ++bad) {
            std::string text(length, 'a');
            text[bad] = '\xFF';
            EXPECT_FALSE(is_utf8(text)) << length << " bytes, bad at " << bad;
        }
    }
}

TEST(IsUtf8, TakesCharactersAcrossWordBorders) {
    for (std::size_t before = 0; before <= 20; ++before) {
        const std::string text = std::string(before, 'a') + "é日🎼" + std::string(17, 'b');
        EXPECT_TRUE(is_utf8(text)) << before;
        EXPECT_FALSE(is_utf8(std::string_view(text).substr(0, before + 1))) << before;
    }
}

}  // namespace
}  // namespace fermata
