#include <fermata/sql/sql.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fermata::sql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class DriversTest : public testing::Test {
protected:
    DriversTest() {
        for (const char* scheme : {"sqlite", "postgresql"}) {
            drivers_.add(scheme, [this, scheme](const std::string& url) {
                opened_ = std::string(scheme) + " <- " + url;
                return nullptr;
            });
        }
    }
    std::string opened_by(const std::string& url) {
        (void)drivers_.open(url);
        return opened_;
    }

    Drivers drivers_;
    std::string opened_;
};

TEST_F(DriversTest, SchemeChoosesTheDriver) {
    EXPECT_EQ(opened_by("sqlite:jobs.db"), "sqlite <- sqlite:jobs.db");
    EXPECT_EQ(opened_by("postgresql://host/db"), "postgresql <- postgresql://host/db");
    EXPECT_THAT(drivers_.schemes(), ElementsAre("sqlite", "postgresql"));
}

TEST_F(DriversTest, BarePathIsSqlite) {
    EXPECT_EQ(opened_by("/var/lib/jobs.db"), "sqlite <- /var/lib/jobs.db");
    EXPECT_EQ(opened_by("2026-11-21T22:00.db"), "sqlite <- 2026-11-21T22:00.db");
}

TEST_F(DriversTest, UnknownSchemeNamesThoseThereAreAndNoSecret) {
    try {
        (void)drivers_.open("postgresq://ann:secret@host/db");
        FAIL() << "opened";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_STREQ(error.what(), "no database driver for \"postgresq://\"; did you mean \"postgresql\"?");
        EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
        EXPECT_THAT(error.remedy(), HasSubstr("sqlite:…, postgresql:…"));
    }
}

TEST(Drivers, WithoutSqliteABarePathHasNoDriver) { EXPECT_THROW((void)Drivers().open("jobs.db"), Error); }

}  // namespace
}  // namespace fermata::sql
