#include <fermata/sql/sql.hpp>

#include <gtest/gtest.h>

#include <string>

namespace fermata::sql {
namespace {

TEST(Result, KeepsItsOwnCopyOfEveryCell) {
    Result result;
    {
        std::string name = "a name too long for the small string optimisation";
        const std::string blob("\0\xff", 2);
        const Value row[] = {1, 2.5, nullptr, std::string_view(name), std::as_bytes(std::span(blob)), true};
        result.add(row);
        name.assign(name.size(), '#');
    }
    const Value second[] = {2, 0.0, nullptr, "", nullptr, false};
    result.add(second);

    ASSERT_EQ(result.size(), 2U);
    EXPECT_EQ(result[0][0].integer(), 1);
    EXPECT_EQ(result[0][1].real(), 2.5);
    EXPECT_TRUE(result[0][2].is_null());
    EXPECT_EQ(result[0][3].text(), "a name too long for the small string optimisation");
    ASSERT_EQ(result[0][4].bytes().size(), 2U);
    EXPECT_EQ(result[0][4].bytes()[1], std::byte{0xff});
    EXPECT_TRUE(result[0][5].boolean());
    EXPECT_EQ(result[1][3].kind(), Value::Kind::text);
    EXPECT_EQ(result[1][3].text(), "");
}

TEST(Result, IsEmptyWithoutRows) {
    const Result result;
    EXPECT_TRUE(result.empty());
    EXPECT_EQ(result.size(), 0U);
    EXPECT_EQ(result.changed, 0);
}

TEST(SqlError, BusyAndLostMayBeTriedAgain) {
    EXPECT_TRUE(SqlError(SqlError::Kind::busy, "m").is_transient());
    EXPECT_TRUE(SqlError(SqlError::Kind::lost, "m").is_transient());
    EXPECT_FALSE(SqlError(SqlError::Kind::full, "m").is_transient());
}

TEST(SqlError, KindDecidesTheExitCode) {
    EXPECT_EQ(SqlError(SqlError::Kind::unreachable, "m").kind(), ErrorKind::unreachable);
    EXPECT_EQ(SqlError(SqlError::Kind::lost, "m").kind(), ErrorKind::unreachable);
    EXPECT_EQ(SqlError(SqlError::Kind::corrupt, "m").kind(), ErrorKind::refused);
    EXPECT_EQ(SqlError(SqlError::Kind::read_only, "m").kind(), ErrorKind::refused);
    EXPECT_EQ(SqlError(SqlError::Kind::full, "m").kind(), ErrorKind::failed);
}

}  // namespace
}  // namespace fermata::sql
