#include <fermata/batch/context.hpp>

#include <gtest/gtest.h>

namespace fermata {
namespace {

ResolvedProperty property(std::string name, std::string value, Position at = {14, 9}) {
    return {std::move(name), Text(std::move(value)), at};
}

Properties properties_with(std::string value) {
    return {"reader \"csvReader\"", "vendors.xml", {property("header", std::move(value))}};
}

template <class T>
std::string complaint_about(std::string value) {
    try {
        (void)properties_with(std::move(value)).find<T>("header");
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::invalid);
        return error.what();
    }
    return {};
}

const std::string start = R"(vendors.xml:14:9: error: reader "csvReader": property "header": )";

TEST(Properties, AreReadByType) {
    EXPECT_EQ(properties_with("x").find<std::string>("header"), "x");
    EXPECT_EQ(properties_with("x").find<Text>("header")->str(), "x");
    EXPECT_EQ(properties_with("true").find<bool>("header"), true);
    EXPECT_EQ(properties_with("false").find<bool>("header"), false);
    EXPECT_EQ(properties_with("9000000000").find<std::int64_t>("header"), 9'000'000'000);
    EXPECT_EQ(properties_with("-7").find<int>("header"), -7);
    EXPECT_EQ(properties_with("0.5").find<double>("header"), 0.5);
    EXPECT_EQ(properties_with("15m").find<Duration>("header"), std::chrono::minutes(15));
}

TEST(Properties, AbsentOnesAreNothing) {
    const Properties none;
    EXPECT_FALSE(none.has("header"));
    EXPECT_TRUE(none.all().empty());
    EXPECT_EQ(none.find<std::string>("header"), std::nullopt);
    EXPECT_EQ(none.find<Text>("header"), std::nullopt);
    EXPECT_EQ(none.find<bool>("header"), std::nullopt);
    EXPECT_EQ(none.find<std::int64_t>("header"), std::nullopt);
    EXPECT_EQ(none.find<int>("header"), std::nullopt);
    EXPECT_EQ(none.find<double>("header"), std::nullopt);
    EXPECT_EQ(none.find<Duration>("header"), std::nullopt);
}

TEST(Properties, GetFallsBackOnlyIfAbsent) {
    EXPECT_EQ(properties_with("3").get<int>("header", 8), 3);
    EXPECT_EQ(properties_with("3").get<int>("footer", 8), 8);
    EXPECT_EQ(properties_with("").get<std::string>("header", "x"), "");
    EXPECT_THROW((void)properties_with("three").get<int>("header", 8), Error);
}

TEST(Properties, OfEqualNamesTheLastCounts) {
    const Properties both("reader", "f", {property("a", "1"), property("a", "2")});
    EXPECT_EQ(both.require<int>("a"), 2);
}

TEST(Properties, AWrongValueIsNamedWithItsPlaceAndWhatWasExpected) {
    EXPECT_EQ(complaint_about<bool>("maybe"), start + "\"maybe\" is not true or false");
    EXPECT_EQ(complaint_about<bool>("True"), start + "\"True\" is not true or false");
    EXPECT_EQ(complaint_about<int>("3000000000"),
              start + "\"3000000000\" is not a whole number from -2147483648 to 2147483647");
    EXPECT_EQ(complaint_about<int>("x\ny"), start + "\"x\\ny\" is not a whole number from -2147483648 to 2147483647");
    EXPECT_EQ(complaint_about<std::int64_t>(""),
              start + "\"\" is not a whole number from -9223372036854775808 to 9223372036854775807");
    EXPECT_EQ(complaint_about<double>("1,5"), start + "\"1,5\" is not a number");
    EXPECT_EQ(complaint_about<Duration>("soon"), start + "\"soon\" is not a duration like 90s, 15m or 1h30m");
}

TEST(Properties, ARequiredOneThatIsMissingSaysWhatToAdd) {
    EXPECT_EQ(properties_with("x").require<std::string>("header"), "x");
    try {
        (void)properties_with("x").require<std::string>("file");
        FAIL() << "not missed";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::invalid);
        EXPECT_STREQ(error.what(),
                     "vendors.xml: error: reader \"csvReader\": property \"file\": required, but not given");
        EXPECT_EQ(error.remedy(), "add <property name=\"file\" value=\"...\"/>");
    }
}

TEST(Properties, WrongIsForTheArtifactsOwnChecks) {
    const Error error = properties_with("x").wrong("header", "too short", "make it longer");
    EXPECT_EQ(error.what(), start + "too short");
    EXPECT_EQ(error.remedy(), "make it longer");
}

TEST(Properties, WithoutAFileAMessageHasNoPlaceAndDoesNotLookLikeACompilers) {
    const Properties built("reader \"orders\"", "", {{"to", Text("three", Position{}), Position{}}});
    try {
        (void)built.find<int>("to");
        FAIL() << "not refused";
    } catch (const Error& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with(R"(reader "orders": property "to": "three" is not)"))
            << error.what();
    }
}

TEST(StepContext, ResolvesPathsBelowTheWorkingDirectory) {
    JobContext job;
    job.working_directory = "/srv/job";
    StepContext step;
    step.job = &job;
    EXPECT_EQ(step.resolve_path("in/a.csv"), "/srv/job/in/a.csv");
    EXPECT_EQ(step.resolve_path("/data/a.csv"), "/data/a.csv");
}

TEST(StepContext, KnowsWhetherAStopWasAsked) {
    StepContext step;
    EXPECT_FALSE(step.stop_requested());
    StopSignal stop;
    step.stop = &stop;
    EXPECT_FALSE(step.stop_requested());
    stop.request(StopReason::operator_asked);
    EXPECT_TRUE(step.stop_requested());
}

}  // namespace
}  // namespace fermata
