#include <fermata/fermata.hpp>
#include <fermata/testing/module_path.hpp>
#include <fermata/testing/temp_folder.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace fermata {
namespace {

using testing::has_loaded;
using ::testing::HasSubstr;
using testing::ModulePath;
using testing::thrown_by;

constexpr const char* url = "postgresql://ann:secret@localhost/jobs";

Error refusal() {
    return thrown_by<Error>([] { (void)stock_drivers().open(url); });
}

TEST(PostgresModule, AMissingModuleIsNamedWithTheRemedy) {
    const testing::TempFolder empty;
    const ModulePath path(empty.path().string() + ":/nowhere");
    const Error error = refusal();
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("the driver for postgres cannot be loaded: " + empty.path().string() +
                                        "/libfermata_postgres.so: cannot open shared object file"));
    EXPECT_THAT(error.remedy(), HasSubstr("FERMATA_MODULE_PATH"));
    EXPECT_THAT(std::string(error.what()) + error.remedy(), ::testing::Not(HasSubstr("secret")));
}

TEST(PostgresModule, WhatIsNoModuleIsRefused) {
    const testing::TempFolder folder;
    std::ofstream(folder / "libfermata_postgres.so") << "no library";
    const ModulePath path("/nowhere:" + folder.path().string());
    EXPECT_THAT(refusal().what(), HasSubstr(folder / "libfermata_postgres.so"));
}

TEST(PostgresModule, AModuleOfAnotherVersionIsRefused) {
    const ModulePath path(OTHER_VERSION);
    EXPECT_THAT(refusal().what(), HasSubstr(std::string("it is of version 0.0.0-other, this is ") + version()));
}

TEST(PostgresModule, IsLoadedByTheFirstUrlOfItsOwn) {
    const testing::TempFolder folder;
    const sql::Drivers drivers = stock_drivers();
    (void)drivers.open(folder / "jobs.db")->connect(sql::OpenMode::create);
    EXPECT_FALSE(has_loaded("libpq"));
    EXPECT_EQ(drivers.open(url)->display_name(), "postgresql://ann@localhost/jobs");
    EXPECT_TRUE(has_loaded("libpq"));
    EXPECT_EQ(drivers.open("postgres://localhost/jobs")->dialect().engine, "postgresql");
}

TEST(PostgresModule, ItsErrorsAreOurs) {
    const auto database = stock_drivers().open("postgresql:///jobs?host=/nowhere");
    const auto error = thrown_by<sql::SqlError>([&] { (void)database->connect(sql::OpenMode::read_write); });
    EXPECT_EQ(error.sql_kind(), sql::SqlError::Kind::unreachable);
}

}  // namespace
}  // namespace fermata
