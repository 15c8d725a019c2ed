#include <fermata/testing/sql_suite.hpp>

#include <thread>

namespace fermata::testing {

using sql::ColumnType;
using ::testing::IsEmpty;

TEST_P(SqlSuite, ColumnsOfATable) {
    connection_->execute(
        "CREATE TABLE stock (sku TEXT, place BIGINT NOT NULL, amount INTEGER NOT NULL DEFAULT 0, "
        "price DOUBLE PRECISION, PRIMARY KEY (place, sku))");
    const auto columns = connection_->columns_of("stock");
    ASSERT_EQ(columns.size(), 4U);
    EXPECT_EQ(columns[0].name, "sku");
    EXPECT_EQ(columns[0].type, ColumnType::text);
    EXPECT_EQ(columns[0].key, 2);
    EXPECT_EQ(columns[1].type, ColumnType::integer);
    EXPECT_TRUE(columns[1].not_null);
    EXPECT_EQ(columns[1].key, 1);
    EXPECT_TRUE(columns[2].has_default);
    EXPECT_FALSE(columns[3].not_null);
    EXPECT_EQ(columns[3].type, ColumnType::real);
    EXPECT_THAT(connection_->columns_of("nothing"), IsEmpty());
}

TEST_P(SqlSuite, GeneratedIdsRise) {
    connection_->execute("CREATE TABLE event (id " + std::string(database_->dialect().auto_id) + ", what TEXT)");
    const auto next_id = [&] {
        return connection_->execute("INSERT INTO event (what) VALUES ('x') RETURNING id")[0][0].integer();
    };
    const std::int64_t first = next_id();
    connection_->execute("DELETE FROM event");
    EXPECT_GT(next_id(), first);
}

TEST_P(SqlSuite, AFreshDatabaseIsSound) {
    create_person();
    EXPECT_TRUE(database_->exists());
    EXPECT_THAT(connection_->tables(), ::testing::ElementsAre("person"));
    EXPECT_THAT(database_->integrity_check(), IsEmpty());
    EXPECT_EQ(database_->identity(), database_->identity());
    EXPECT_FALSE(database_->display_name().empty());
}

TEST_P(SqlSuite, InterruptEndsARunningStatement) {
    connection_->execute("CREATE TABLE going (x BIGINT)");
    std::atomic<bool> ended{false};
    std::thread interrupter([&] {
        while (!ended) connection_->interrupt();
    });
    EXPECT_THROW(connection_->execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
                                      "SELECT count(*) FROM n"),
                 sql::SqlError);
    ended = true;
    interrupter.join();
    EXPECT_TRUE(connection_->execute("SELECT * FROM going").empty());
}

}  // namespace fermata::testing
