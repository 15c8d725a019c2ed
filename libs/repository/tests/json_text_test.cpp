#include "../src/json_text.hpp"

#include <fermata/base/error.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gtest/gtest.h>

#include <tuple>

namespace fermata {
namespace {

using testing::thrown_by;

TEST(ParametersAsJson, AreReadAsTheyWereWritten) {
    for (const Parameters& one : {Parameters{}, Parameters{{"file", "a.csv"}}, Parameters{{"a", ""}, {"b", "1"}},
                                  Parameters{{"quoted \" name", "C:\\folder\\\n"}, {"day", "2026-11-23"}},
                                  Parameters{{"where", "Zürich, {\"x\":[1]}"}, {"", "no name"}}})
        EXPECT_EQ(one, parameters_in(json_of(one))) << json_of(one);
    EXPECT_EQ(R"({"day":"2026-11-23","file":"a\"b"})", json_of({{"file", "a\"b"}, {"day", "2026-11-23"}}));
}

TEST(ParametersAsJson, MayHaveSpacesInBetween) {
    EXPECT_EQ((Parameters{{"a", "1"}, {"b", "2"}}), parameters_in(R"({ "a" : "1", "b": "2" })"));
}

TEST(ParametersAsJson, AnythingElseIsDamage) {
    for (const char* damaged : {"", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":\"1\"", "{\"a\":\"1\"}x", "{\"a\":\"1\",}",
                                "{\"a\":1}", "[]", "{\"a\":\"\\x\"}"}) {
        const Error error = thrown_by<Error>([&] { std::ignore = parameters_in(damaged); });
        EXPECT_EQ(ErrorKind::refused, error.kind()) << damaged;
    }
}

}  // namespace
}  // namespace fermata
