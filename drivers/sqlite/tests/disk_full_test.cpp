#include "fixture.hpp"

#include <sys/mount.h>

#include <cstring>
#include <fstream>

namespace fermata::sqlite {
namespace {

/// A file system of one megabyte.
class DiskFullTest : public SqliteTest {
protected:
    void SetUp() override {
        if (::mount("fermata", folder_.path().c_str(), "tmpfs", 0, "size=1m") != 0)
            GTEST_SKIP() << "needs the right to mount a tmpfs: " << std::strerror(errno);
        mounted_ = true;
    }
    void TearDown() override {
        if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
    }
    void fill() const {
        std::ofstream file(path("filler"), std::ios::binary);
        const std::string block(4096, 'x');
        while (file << block << std::flush) {
        }
    }
    bool mounted_ = false;
};

TEST_F(DiskFullTest, AFullDiskRollsBackAndCanBeRepeatedLater) {
    create_number();
    const auto connection = connect();
    connection->execute("CREATE TABLE t (x BLOB)");
    fill();
    connection->begin();
    const auto error = thrown_by<SqlError>([&] {
        connection->execute("UPDATE number SET n = 1");
        connection->execute(
            "WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 1000) "
            "INSERT INTO t SELECT zeroblob(4000) FROM i");
        connection->commit();
    });
    EXPECT_EQ(error.sql_kind(), SqlError::Kind::full);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(path()));
    connection->rollback();
    EXPECT_FALSE(connection->in_transaction());

    std::filesystem::remove(path("filler"));
    EXPECT_EQ(number(*connection), 0);
    sql::Transaction transaction(*connection);
    transaction->execute("UPDATE number SET n = 2");
    transaction.commit();
    EXPECT_EQ(number(*connect()), 2);
}

TEST_F(DiskFullTest, AFailedCommitGivesTheTurnBack) {
    create_number();
    const auto connection = connect();
    const auto bulk_target = sql::BulkTarget{.table = "number", .columns = {"n"}};
    fill();
    connection->begin();
    const std::vector<Value> rows(100'000, Value(7));
    EXPECT_EQ(thrown_by<SqlError>([&] {
                  connection->bulk(bulk_target)->write(rows.size(), rows);
                  connection->commit();
              }).sql_kind(),
              SqlError::Kind::full);
    connection->rollback();
    std::filesystem::remove(path("filler"));
    connect()->execute("UPDATE number SET n = 1");
    EXPECT_EQ(number(*connection), 1);
}

TEST_F(DiskFullTest, ABackupThatDoesNotFitLeavesNothing) {
    create_number();
    fill();
    EXPECT_EQ(thrown_by<SqlError>([&] { open_database(path())->backup_to(path("copy.db")); }).sql_kind(),
              SqlError::Kind::full);
    EXPECT_FALSE(std::filesystem::exists(path("copy.db")));
}

}  // namespace
}  // namespace fermata::sqlite
