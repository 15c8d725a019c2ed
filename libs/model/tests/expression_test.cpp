#include <fermata/model/expression.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fermata {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Template parse(std::string_view source) {
    Diagnostics diagnostics;
    auto result = Template::parse(source, {3, 10}, "job.xml", diagnostics);
    for (const auto& diagnostic : diagnostics.all()) ADD_FAILURE() << to_string(diagnostic);
    return result;
}

std::vector<std::string> errors_of(std::string_view source) {
    Diagnostics diagnostics;
    const auto result = Template::parse(source, {3, 10}, "job.xml", diagnostics);
    EXPECT_FALSE(result.has_expressions());
    EXPECT_EQ(result.source(), source);
    std::vector<std::string> texts;
    for (const auto& diagnostic : diagnostics.all()) texts.push_back(to_string(diagnostic));
    return texts;
}

/// "op:name" is the value of every expression but those named "absent" (nothing) and "empty".
Text resolved(std::string_view source) {
    const Scope scope([](Operator op, std::string_view name) -> std::optional<std::string> {
        if (name == "absent") return std::nullopt;
        if (name == "empty") return "";
        return std::string(to_string(op)) + ":" + std::string(name);
    });
    return scope.resolve(parse(source));
}

TEST(Expression, LiteralsStayAsTheyAre) {
    for (const auto* text : {"", "plain", "a # b", "a { b }", "?:x;", "#", "# {x}", "50% {#}"}) {
        EXPECT_EQ(resolved(text).str(), text);
        EXPECT_FALSE(parse(text).has_expressions());
        EXPECT_THAT(resolved(text).values(), IsEmpty());
    }
}

TEST(Expression, AllFourOperatorsAndBothQuotes) {
    EXPECT_EQ(resolved("#{jobParameters['a']}").str(), "jobParameters:a");
    EXPECT_EQ(resolved("#{jobProperties[\"b c\"]}").str(), "jobProperties:b c");
    EXPECT_EQ(resolved("#{systemProperties['it\"s']}").str(), "systemProperties:it\"s");
    EXPECT_EQ(resolved("#{partitionPlan[\"it's\"]}").str(), "partitionPlan:it's");
    EXPECT_EQ(resolved("#{jobParameters['a]}b']}").str(), "jobParameters:a]}b");
}

TEST(Expression, LiteralsAndExpressionsMix) {
    const auto text = resolved("/data/#{jobParameters['d']}/in-#{jobParameters['n']}.csv");
    EXPECT_EQ(text.str(), "/data/jobParameters:d/in-jobParameters:n.csv");
    EXPECT_THAT(text.values(), ElementsAre(Text::Range{6, 21}, Text::Range{25, 40}));
    EXPECT_EQ(text.at(), (Position{3, 10}));
}

TEST(Expression, UnknownNamesAreEmpty) {
    const auto text = resolved("a#{jobParameters['absent']}b");
    EXPECT_EQ(text.str(), "ab");
    EXPECT_THAT(text.values(), ElementsAre(Text::Range{1, 1}));
}

TEST(Expression, DefaultsCountAsValuesAndApplyToAbsentAndEmpty) {
    EXPECT_EQ(resolved("#{jobParameters['x']}?:y;").str(), "jobParameters:x");
    EXPECT_EQ(resolved("#{jobParameters['absent']}?:y;").str(), "y");
    EXPECT_EQ(resolved("#{jobParameters['empty']}?:y;").str(), "y");
    EXPECT_EQ(resolved("#{jobParameters['absent']}?:;").str(), "");
    const auto text = resolved("a #{jobParameters['absent']}?:b c; d");
    EXPECT_EQ(text.str(), "a b c d");
    EXPECT_THAT(text.values(), ElementsAre(Text::Range{2, 5}));
}

TEST(Expression, EachExpressionHasItsOwnDefaultWhichMayHaveExpressions) {
    EXPECT_EQ(resolved("#{jobParameters['absent']}?:#{systemProperties['file.separator']};#{jobParameters['empty']}?:"
                       "#{systemProperties['name']};.txt")
                  .str(),
              "systemProperties:file.separatorsystemProperties:name.txt");
    EXPECT_EQ(resolved("#{jobParameters['absent']}?:<#{jobParameters['absent']}?:inner;>;!").str(), "<inner>!");
}

TEST(Expression, SubstitutedValuesAreNotScannedAgain) {
    const Scope scope([](Operator, std::string_view) { return "#{jobParameters['a']}?:x;"; });
    EXPECT_EQ(scope.resolve(parse("#{jobParameters['a']}")).str(), "#{jobParameters['a']}?:x;");
}

TEST(Expression, PiecesKnowWhereTheyStand) {
    const auto text = parse("ab#{jobParameters['a']}?:#{jobProperties['b']};c");
    ASSERT_EQ(text.pieces().size(), 3U);
    EXPECT_EQ(text.pieces()[0].at, (Position{3, 10}));
    EXPECT_EQ(text.pieces()[1].at, (Position{3, 12}));
    EXPECT_EQ(text.pieces()[1].fallback.front().source(), "#{jobProperties['b']}");
    EXPECT_EQ(text.pieces()[1].fallback.front().pieces().front().at, (Position{3, 35}));
    EXPECT_EQ(text.pieces()[2].at, (Position{3, 57}));
}

TEST(Expression, PositionsCanBeGivenByTheCaller) {
    Diagnostics diagnostics;
    const auto locate = [](std::size_t offset) { return Position{7, 100 + 5 * static_cast<int>(offset)}; };
    const auto text = Template::parse_located("ab#{jobParameters['a']}", locate, "", diagnostics);
    EXPECT_EQ(text.at(), (Position{7, 100}));
    EXPECT_EQ(text.pieces()[1].at, (Position{7, 110}));
}

TEST(Expression, WithoutAPositionThereIsNone) {
    Diagnostics diagnostics;
    EXPECT_EQ(Template::parse("a#{jobParameters['a']}", {}, "", diagnostics).pieces()[1].at, Position{});
}

TEST(Expression, MalformedOnesPointAtTheExactPlace) {
    const std::string write = "; write #{jobParameters['NAME']}";
    EXPECT_THAT(errors_of("x#{jobParams['a']}"),
                ElementsAre("job.xml:3:13: error: malformed expression #{jobParams['a']}: unknown operator "
                            "\"jobParams\"" +
                            write));
    EXPECT_THAT(errors_of("#{jobParameter['a']}"),
                ElementsAre("job.xml:3:12: error: malformed expression #{jobParameter['a']}: unknown operator "
                            "\"jobParameter\"; did you mean \"jobParameters\"?" +
                            write));
    EXPECT_THAT(
        errors_of("#{['a']}"),
        ElementsAre("job.xml:3:12: error: malformed expression #{['a']}: the operator is missing here" + write));
    EXPECT_THAT(errors_of("#{jobParameters}"),
                ElementsAre("job.xml:3:25: error: malformed expression #{jobParameters}: [ is missing here" + write));
    EXPECT_THAT(errors_of("#{jobParameters[a]}"),
                ElementsAre("job.xml:3:26: error: malformed expression #{jobParameters[a]}: a quote (' or \") is "
                            "missing here" +
                            write));
    EXPECT_THAT(errors_of("#{jobParameters['a]}"),
                ElementsAre("job.xml:3:26: error: malformed expression #{jobParameters['a]}: this quote is not closed" +
                            write));
    EXPECT_THAT(
        errors_of("#{jobParameters['']}"),
        ElementsAre("job.xml:3:27: error: malformed expression #{jobParameters['']}: the name is empty" + write));
    EXPECT_THAT(
        errors_of("#{jobParameters['a'}"),
        ElementsAre("job.xml:3:29: error: malformed expression #{jobParameters['a'}: ] is missing here" + write));
    EXPECT_THAT(
        errors_of("#{jobParameters['a']"),
        ElementsAre("job.xml:3:30: error: malformed expression #{jobParameters['a']: } is missing here" + write));
    EXPECT_THAT(errors_of("#{"), ElementsAre("job.xml:3:12: error: malformed expression #{: the operator is missing "
                                             "here" +
                                             write));
}

TEST(Expression, SeveralMalformedOnesAreToldTogether) {
    EXPECT_EQ(errors_of("#{x} and #{y} and #{jobParameters['ok']}").size(), 2U);
}

TEST(Expression, AnOpenDefaultIsToldOnce) {
    EXPECT_THAT(errors_of("#{jobParameters['a']}?:x"),
                ElementsAre("job.xml:3:31: error: the default of #{jobParameters['a']} does not end; write ?:TEXT;"));
    EXPECT_EQ(errors_of("#{jobParameters['a']}?:#{jobParameters['b']}?:").size(), 1U);
}

TEST(Expression, NestingAndTheNumberOfMessagesAreLimited) {
    std::string deep;
    for (int i = 0; i < 17; ++i) deep += "#{jobParameters['a']}?:";
    EXPECT_THAT(errors_of(deep).front(), testing::HasSubstr("defaults are nested more than 16 deep"));
    std::string endless;
    for (int i = 0; i < 100000; ++i) endless += "#{jobParameters['a']}?:";
    EXPECT_LE(errors_of(endless).size(), 2U);
    std::string many;
    for (int i = 0; i < 100000; ++i) many += "#{";
    EXPECT_EQ(errors_of(many).size(), 20U);
}

}  // namespace
}  // namespace fermata
