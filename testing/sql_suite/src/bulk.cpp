#include <fermata/testing/sql_suite.hpp>

namespace fermata::testing {

using sql::BulkTarget;
using sql::Transaction;
using ::testing::HasSubstr;

namespace {

const BulkTarget people{.table = "person", .columns = {"id", "name", "height"}};

BulkTarget upsert_by(std::vector<std::string> columns, std::string key) {
    return {.table = "person", .columns = std::move(columns), .upsert = true, .keys = {std::move(key)}};
}

}  // namespace

TEST_P(SqlSuite, BulkWritesRows) {
    create_person();
    Transaction transaction(*connection_);
    const auto bulk = connection_->bulk(people);
    const Value cells[] = {1, "Ann", 1.7, 2, "Bob", nullptr};
    bulk->write(2, cells);
    const Value more[] = {3, "Cy", 1.6};
    bulk->write(1, more);
    bulk->write(0, {});
    transaction.commit();
    const auto rows = connection_->execute("SELECT name, height FROM person ORDER BY id");
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0][1].real(), 1.7);
    EXPECT_TRUE(rows[1][1].is_null());
    EXPECT_EQ(rows[2][0].text(), "Cy");
}

TEST_P(SqlSuite, BulkTurnsTextIntoNumbersForNumericColumns) {
    create_person();
    const Value cells[] = {"-42", "7", "1.25"};
    write(people, cells);
    const auto rows = connection_->execute("SELECT id, name, height FROM person");
    EXPECT_EQ(rows[0][0].integer(), -42);
    EXPECT_EQ(rows[0][1].text(), "7");
    EXPECT_EQ(rows[0][2].real(), 1.25);
}

TEST_P(SqlSuite, BulkRefusesTextThatIsNoNumber) {
    create_person();
    for (const char* text : {"", " 7", "7x", "1.5", "9223372036854775808"}) {
        const Transaction transaction(*connection_);
        const Value cells[] = {1, "Ann", nullptr, text, "Bob", nullptr};
        const auto error = thrown_by<ConversionError>([&] { connection_->bulk(people)->write(2, cells); });
        EXPECT_EQ(error.position(), "1");
        EXPECT_THAT(error.what(), HasSubstr("person.id"));
        EXPECT_THAT(error.what(), HasSubstr('"' + std::string(text) + '"'));
    }
    const Transaction transaction(*connection_);
    for (const char* text : {"tall", "inf", "nan"}) {
        const Value cells[] = {1, "Ann", text};
        EXPECT_THROW(connection_->bulk(people)->write(1, cells), ConversionError);
    }
}

TEST_P(SqlSuite, BulkNamesTheFirstRefusedRow) {
    create_person();
    {
        const Transaction transaction(*connection_);
        const Value cells[] = {1, "Ann", nullptr, 2, "Bob", nullptr, 1, "Cy", nullptr, 1, "Di", nullptr};
        const auto error = thrown_by<ConstraintError>([&] { connection_->bulk(people)->write(4, cells); });
        EXPECT_EQ(error.position(), "2");
        EXPECT_THAT(error.what(), HasSubstr("id"));
    }
    EXPECT_EQ(count(), 0);
}

TEST_P(SqlSuite, BulkNeedsATransaction) {
    create_person();
    const auto bulk = connection_->bulk(people);
    const Value cells[] = {1, "Ann", nullptr};
    EXPECT_THROW(bulk->write(1, cells), sql::SqlError);
    EXPECT_EQ(count(), 0);
}

TEST_P(SqlSuite, BulkRefusesNullWhereThereMustBeAValue) {
    create_person();
    const Transaction transaction(*connection_);
    const Value cells[] = {1, nullptr, nullptr};
    EXPECT_THROW(connection_->bulk(people)->write(1, cells), ConstraintError);
}

TEST_P(SqlSuite, UpsertUpdatesTheRowOfTheKey) {
    create_person();
    connection_->execute("INSERT INTO person (id, name, height) VALUES (1, 'Ann', 1.7)");
    const Value cells[] = {"Ann", 1.8, 5, "Bob", 1.5, 6};
    write(upsert_by({"name", "height", "id"}, "name"), cells);
    const auto rows = connection_->execute("SELECT id, height FROM person ORDER BY id");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0][0].integer(), 5);
    EXPECT_EQ(rows[0][1].real(), 1.8);
}

TEST_P(SqlSuite, UpsertOfKeysOnlyLeavesTheRow) {
    connection_->execute("CREATE TABLE person (id BIGINT PRIMARY KEY)");
    const Value cells[] = {1, 1, 2};
    write(upsert_by({"id"}, "id"), cells);
    EXPECT_EQ(count(), 2);
}

TEST_P(SqlSuite, BulkRefusesWhatIsNotThere) {
    create_person();
    const auto refusal = [&](const BulkTarget& target) {
        const auto error = thrown_by<Error>([&] { (void)connection_->bulk(target); });
        EXPECT_EQ(error.kind(), ErrorKind::refused);
        return std::string(error.what());
    };
    EXPECT_THAT(refusal({.table = "persn", .columns = {"id"}}), HasSubstr("did you mean \"person\"?"));
    EXPECT_THAT(refusal({.table = "person", .columns = {"nane"}}), HasSubstr("did you mean \"name\"?"));
    EXPECT_THAT(refusal({.table = "person", .columns = {}}), HasSubstr("no columns"));
    EXPECT_THAT(refusal({.table = "person", .columns = {"id"}, .upsert = true}), HasSubstr("no keys"));
    EXPECT_THAT(refusal(upsert_by({"name"}, "id")), HasSubstr("\"id\" is not among the columns"));
    EXPECT_THAT(refusal(upsert_by({"id", "height"}, "height")), HasSubstr("no unique key"));
}

TEST_P(SqlSuite, NamesAreQuoted) {
    connection_->execute("CREATE TABLE " + connection_->quote("odd \"table\"") + " (" + connection_->quote("select") +
                         " TEXT)");
    const Value cells[] = {"x"};
    write({.table = "odd \"table\"", .columns = {"select"}}, cells);
    EXPECT_EQ(connection_->execute("SELECT \"select\" FROM \"odd \"\"table\"\"\"")[0][0].text(), "x");
}

}  // namespace fermata::testing
