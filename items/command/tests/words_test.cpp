#include "words.hpp"

#include <fermata/base/error.hpp>

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace fermata {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> words(const std::string& line) { return split_words(Text(line)); }

/// "|" in the pattern stands for the value.
Text with_value(std::string_view pattern, std::string_view value) {
    Text text;
    for (const char c : pattern) {
        if (c == '|')
            text.append_value(value);
        else
            text.append_literal({&c, 1});
    }
    return text;
}

std::string refusal(const std::string& line) {
    try {
        (void)words(line);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::invalid);
        return error.what();
    }
    return "accepted";
}

TEST(Words, AreSplitAtBlanks) {
    EXPECT_THAT(words("  cp\ta  b\n"), ElementsAre("cp", "a", "b"));
    EXPECT_THAT(words(""), IsEmpty());
    EXPECT_THAT(words(" \t\n"), IsEmpty());
}

TEST(Words, SingleQuotesKeepEverything) {
    EXPECT_THAT(words(R"('a b' 'c"\d' e'f'g)"), ElementsAre("a b", R"(c"\d)", "efg"));
    EXPECT_THAT(words("a ''"), ElementsAre("a", ""));
}

TEST(Words, BackslashInDoubleQuotesEscapesFourBytesAndJoinsLines) {
    EXPECT_THAT(words(R"("a \" \\ \$ \` \n")"), ElementsAre(R"(a " \ $ ` \n)"));
    EXPECT_THAT(words("\"a\\\nb\""), ElementsAre("ab"));
    EXPECT_THAT(words(R"("")"), ElementsAre(""));
}

TEST(Words, BackslashOutsideQuotesEscapesAnyByte) {
    EXPECT_THAT(words(R"(a\ b \"c \\)"), ElementsAre("a b", "\"c", "\\"));
    EXPECT_THAT(words("a\\\nb"), ElementsAre("ab"));
}

TEST(Words, UnfinishedOnesAreRefused) {
    EXPECT_EQ(refusal("echo 'a"), "the quote ' at character 6 is not closed");
    EXPECT_EQ(refusal("echo \"a'"), "the quote \" at character 6 is not closed");
    EXPECT_EQ(refusal("echo \"a\\"), "the quote \" at character 6 is not closed");
    EXPECT_EQ(refusal("echo a\\"), "ends with a single backslash");
}

TEST(Words, BareShellOperatorsAreRefused) {
    EXPECT_EQ(refusal("dump db > file"), "\">\" means something to a shell only");
    EXPECT_EQ(refusal("a && b"), "\"&&\" means something to a shell only");
    EXPECT_THAT(words(R"(find . -exec rm {} \; '|' a>b)"),
                ElementsAre("find", ".", "-exec", "rm", "{}", ";", "|", "a>b"));
}

TEST(Words, ValueIsOpaque) {
    const std::string evil = "a b' \" \\ ; \n $(x)";
    EXPECT_THAT(split_words(with_value("echo |", evil)), ElementsAre("echo", evil));
    EXPECT_THAT(split_words(with_value("echo x|y", evil)), ElementsAre("echo", "x" + evil + "y"));
    EXPECT_THAT(split_words(with_value("echo '|' \"<|>\"", evil)), ElementsAre("echo", evil, "<" + evil + ">"));
    EXPECT_THAT(split_words(with_value("echo ||", evil)), ElementsAre("echo", evil + evil));
    EXPECT_THAT(split_words(with_value("echo |", ">")), ElementsAre("echo", ">"));
}

TEST(Words, BackslashBeforeAValueLeavesTheValueAlone) {
    EXPECT_THAT(split_words(with_value(R"(echo \|)", "\"v")), ElementsAre("echo", "\"v"));
    EXPECT_THAT(split_words(with_value(R"(echo "\|")", "\"v")), ElementsAre("echo", "\\\"v"));
}

TEST(Words, PlaceOfAnEmptyValueMakesAWord) {
    EXPECT_THAT(split_words(with_value("echo | '|' x|", "")), ElementsAre("echo", "", "", "x"));
}

TEST(WordsProperty, NoValueChangesTheNumberOfWordsOrTheOtherWords) {
    const bool holds = rc::check([](const std::string& value) {
        const auto pattern =
            *rc::gen::element<std::string>("c |", "c a|b '|' d", R"(c "x | y" |z| e)", "| |", R"(c \| "\|")");
        const auto plain = split_words(with_value(pattern, "v"));
        const auto split = split_words(with_value(pattern, value));
        RC_ASSERT(split.size() == plain.size());
        for (std::size_t i = 0; i < plain.size(); ++i)
            RC_ASSERT(plain[i].find('v') != std::string::npos || plain[i] == split[i]);
    });
    EXPECT_TRUE(holds);
}

TEST(WordsProperty, QuotedWordsComeBack) {
    const bool holds = rc::check([](const std::vector<std::string>& wanted) {
        std::string line;
        for (const std::string& word : wanted) {
            line += " '";
            for (const char c : word) line += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
            line += "'";
        }
        RC_ASSERT(words(line) == wanted);
    });
    EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace fermata
