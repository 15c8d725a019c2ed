#include "fixture.hpp"

#include <array>
#include <atomic>

namespace fermata::postgres {
namespace {

using Kind = SqlError::Kind;
using ::testing::HasSubstr;
using ::testing::Not;

class ErrorTest : public PostgresTest {
protected:
    ErrorTest() {
        create_number();
        connection_ = connect();
    }
    Kind kind(std::string_view sql) {
        return thrown_by<SqlError>([&] { connection_->execute(sql); }).sql_kind();
    }
    /// An error of `state`, as the server would raise it.
    Kind raised(const std::string& state) {
        return kind("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '" + state + "', MESSAGE = 'so'; END $$");
    }

    std::unique_ptr<sql::Connection> connection_;
};

TEST_F(ErrorTest, KindsByTheServersCode) {
    EXPECT_EQ(raised("40001"), Kind::busy);
    EXPECT_EQ(raised("40P01"), Kind::busy);
    EXPECT_EQ(raised("55P03"), Kind::busy);
    EXPECT_EQ(raised("40003"), Kind::lost);
    EXPECT_EQ(raised("53100"), Kind::full);
    EXPECT_EQ(raised("25006"), Kind::read_only);
    EXPECT_EQ(raised("XX001"), Kind::corrupt);
    EXPECT_EQ(raised("XX002"), Kind::corrupt);
    EXPECT_EQ(raised("58P01"), Kind::corrupt);
    EXPECT_EQ(raised("3F000"), Kind::unreachable);
    EXPECT_EQ(raised("53200"), Kind::other);
    EXPECT_EQ(kind("SELECT 1 / 0"), Kind::other);
    EXPECT_EQ(kind("SELECT no_function()"), Kind::syntax);
    EXPECT_EQ(kind("COPY number TO STDOUT"), Kind::syntax);
    EXPECT_EQ(kind("SELECT 1; SELECT 2"), Kind::syntax);
    EXPECT_EQ(connection_->execute("SELECT 1")[0][0].integer(), 1);
}

TEST_F(ErrorTest, AMissingRightIsForbidden) {
    connection_->execute_script("CREATE ROLE looker; SET ROLE looker");
    const auto error = thrown_by<Error>([&] { connection_->execute("SELECT * FROM number"); });
    EXPECT_EQ(error.kind(), ErrorKind::forbidden);
    EXPECT_THAT(error.what(), HasSubstr("permission denied for table number"));
    EXPECT_THAT(error.remedy(), HasSubstr("have the right granted"));
    connection_->execute_script("RESET ROLE; DROP ROLE looker");
}

TEST_F(ErrorTest, WhatATriggerRaisesRefusesTheRow) {
    EXPECT_THROW(connection_->execute("DO $$ BEGIN RAISE EXCEPTION 'no'; END $$"), ConstraintError);
}

TEST_F(ErrorTest, AConstraintNamesTheKey) {
    const auto error = thrown_by<ConstraintError>([&] { connection_->execute("INSERT INTO number VALUES (1, 1)"); });
    EXPECT_THAT(error.what(), HasSubstr("\"number_pkey\" (Key (id)=(1) already exists)"));
}

TEST_F(ErrorTest, TheServersHintIsTheRemedy) {
    const auto error = thrown_by<SqlError>([&] { connection_->execute("SELECT nn FROM number"); });
    EXPECT_THAT(error.remedy(), HasSubstr("Perhaps you meant to reference the column \"number.n\""));
}

TEST_F(ErrorTest, AScriptNamesTheLineItStumbledAt) {
    const auto error = thrown_by<SqlError>(
        [&] { connection_->execute_script("-- größer\nSELECT 1;\n  CREATE TABLE größe (x nothing);\nSELECT 2"); });
    EXPECT_THAT(error.what(), HasSubstr("in: nothing);"));
    EXPECT_THROW(connection_->execute_script("COPY number FROM STDIN"), SqlError);
    EXPECT_EQ(number(), 0);
}

TEST_F(ErrorTest, SomebodysLockIsWaitedForWithinTheBound) {
    const auto holder = connect();
    const Transaction transaction(*holder);
    holder->execute("UPDATE number SET n = 1");
    const auto waiter = connect(OpenMode::read_write, {.lock_timeout = 50ms});
    const auto error = thrown_by<SqlError>([&] { waiter->execute("UPDATE number SET n = 2"); });
    EXPECT_EQ(error.sql_kind(), Kind::busy);
    EXPECT_TRUE(error.is_transient());
}

TEST_F(ErrorTest, ADeadlockIsBusyForOneOfThem) {
    connection_->execute("INSERT INTO number VALUES (2, 0)");
    const auto other = connect();
    const std::int64_t pid = pid_of(*other);
    std::array<std::atomic<int>, 2> outcomes{};
    const auto update = [](sql::Connection& c, std::int64_t id) {
        c.execute("UPDATE number SET n = n + 1 WHERE id = $1", {id});
    };
    const auto second = [&](sql::Connection& c, std::int64_t id, std::atomic<int>& outcome) {
        try {
            update(c, id);
            c.commit();
            outcome = 1;
        } catch (const SqlError& error) {
            outcome = error.sql_kind() == Kind::busy ? 2 : 3;
            c.rollback();
        }
    };
    connection_->begin();
    update(*connection_, 1);
    other->begin();
    update(*other, 2);
    std::thread waiting([&] { second(*other, 1, outcomes[0]); });
    await_blocked(pid);
    second(*connection_, 2, outcomes[1]);
    waiting.join();
    EXPECT_EQ(outcomes[0] + outcomes[1], 3);
}

TEST_F(ErrorTest, ACommitAfterAFailureThatNobodyHeededIsRefused) {
    connection_->begin();
    connection_->execute("UPDATE number SET n = 1");
    EXPECT_THROW(connection_->execute("SELECT 1 / 0"), SqlError);
    EXPECT_THROW(connection_->commit(), SqlError);
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(number(), 0);
}

TEST_F(ErrorTest, AnInterruptEndsTheWaitForALock) {
    const auto holder = connect();
    const Transaction transaction(*holder);
    holder->execute("UPDATE number SET n = 1");
    const std::int64_t pid = pid_of(*connection_);
    std::thread interrupter([&] {
        await_blocked(pid);
        connection_->interrupt();
    });
    EXPECT_EQ(kind("UPDATE number SET n = 2"), Kind::other);
    interrupter.join();
}

TEST_F(ErrorTest, ATableAlteredUnderAStatementIsSeenAtItsNextUse) {
    const std::string_view sql = "SELECT * FROM number";
    EXPECT_EQ(connection_->execute(sql).columns.size(), 2U);
    connect()->execute("ALTER TABLE number ADD COLUMN m int");
    EXPECT_THROW(connection_->execute(sql), SqlError);
    EXPECT_EQ(connection_->execute(sql).columns.size(), 3U);
}

// --- opening -------------------------------------------------------------------------------------------------------

TEST_F(ErrorTest, AServerThatIsNotThereIsUnreachable) {
    const auto error =
        thrown_by<SqlError>([] { (void)open_database("postgresql:///jobs?host=/nowhere")->connect(OpenMode::create); });
    EXPECT_EQ(error.sql_kind(), Kind::unreachable);
    EXPECT_EQ(error.kind(), ErrorKind::unreachable);
    EXPECT_THAT(error.what(), HasSubstr("postgresql:///jobs?host=/nowhere: connection to server"));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
}

TEST_F(ErrorTest, ADatabaseThatIsNotThere) {
    const auto database = open_database(testing::PostgresCluster::shared().url("no_such"));
    EXPECT_FALSE(database->exists());
    EXPECT_EQ(thrown_by<SqlError>([&] { (void)database->connect(OpenMode::create); }).sql_kind(), Kind::unreachable);
    EXPECT_TRUE(open_database(place_.url())->exists());
    EXPECT_THROW((void)open_database("postgresql:///jobs?host=/nowhere")->exists(), SqlError);
}

TEST_F(ErrorTest, AnOldServerIsRefused) {
    const auto error = thrown_by<SqlError>([&] { (void)connect(OpenMode::read_only, {.oldest_version = 990'000}); });
    EXPECT_EQ(error.sql_kind(), Kind::unreachable);
    EXPECT_THAT(error.what(), HasSubstr("is too old"));
    EXPECT_EQ(error.remedy(), "use version 99 or newer");
}

TEST_F(ErrorTest, UrlsThatCannotBeRead) {
    for (const char* url : {"postgresql://ann:se/cret@host/db", "postgresql://ann:se@cret@host/db",
                            "postgresql://ann:%zzcret@host/db", "postgresql://ann:cret@host/db?no=such",
                            "postgresql://ann:cret@host:x/db?", "postgresql://host/db?password=%zzcret",
                            "postgresql:db", "postgresql://ann:cret@[::1/db", "postgresql://h/a@cret"}) {
        const auto error = thrown_by<Error>([&] { (void)open_database(url)->connect(OpenMode::read_only); });
        EXPECT_THAT(std::string(error.what()) + error.remedy(), Not(HasSubstr("cret"))) << url;
    }
}

TEST_F(ErrorTest, SecretsStayOutOfMessages) {
    const std::string url = place_.url() + "&password=canary%2Fbird&sslmode=canary%2Fbird";
    const auto database = open_database(url);
    EXPECT_THAT(database->display_name(), Not(HasSubstr("canary")));
    const auto error = thrown_by<SqlError>([&] { (void)database->connect(OpenMode::read_write); });
    EXPECT_THAT(error.what(), HasSubstr("invalid sslmode value: \"***\""));
    EXPECT_EQ(open_database("postgresql:///jobs?host=/s&port=5433")->display_name(),
              "postgresql:///jobs?host=/s&port=5433");
    EXPECT_EQ(open_database("postgresql://ann:canary@host:5433/jobs?sslpassword=canary")->display_name(),
              "postgresql://ann@host:5433/jobs");
    const auto refused = thrown_by<Error>([&] { open_database(place_.url() + "&password=canary")->backup_to("/b"); });
    EXPECT_EQ(refused.kind(), ErrorKind::refused);
    EXPECT_THAT(refused.remedy(), HasSubstr("pg_dump --format=custom --file='/b' 'postgresql://"));
    EXPECT_THAT(refused.remedy(), Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace fermata::postgres
