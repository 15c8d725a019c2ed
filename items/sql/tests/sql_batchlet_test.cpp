#include "fixture.hpp"
#include "named_parameters.hpp"

#include <rapidcheck.h>

#include <thread>

namespace fermata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SqlBatch : public SqlFixture {
protected:
    std::unique_ptr<AnyBatchlet> make(const std::string& sql) {
        const Properties given = properties({{"url", data_url}, {"sql", sql}});
        return registry.find(ArtifactKind::batchlet, "sql")->make_batchlet({given, &step, job});
    }
    std::string run(const std::string& sql) { return make(sql)->process(); }
    /// Whether somebody else is in a write transaction; does not wait.
    bool somebody_writes() {
        if (is_postgres())
            return rows("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%forever%' AND pid <> pg_backend_pid()")
                       .size() == 1;
        sql::Drivers impatient;
        add_sqlite_driver(impatient, {.turn_bound = std::chrono::milliseconds(0)});
        const auto other = impatient.open((folder / data_url).string())->connect(sql::OpenMode::read_write);
        try {
            const sql::Transaction transaction(*other);
            return false;
        } catch (const sql::SqlError& error) {
            return error.sql_kind() == sql::SqlError::Kind::busy;
        }
    }
    std::string refused(const std::string& sql) {
        return refusal([&] { run(sql); });
    }
};

TEST_P(SqlBatch, RunsStatementsInOneTransaction) {
    EXPECT_EQ(run("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x;y'); INSERT INTO t VALUES ('z')"), "COMPLETED");
    EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre(Row{"x;y"}, Row{"z"}));
}

TEST_P(SqlBatch, ATableIsDividedByRangesOfItsKey) {
    const auto plan = [&](const std::string& parts) {
        const Properties given = properties({{"url", data_url}, {"table", "k"}, {"key", "id"}, {"partitions", parts}});
        const ArtifactEntry* entry = registry.find(ArtifactKind::mapper, "sqlMapper");
        entry->check(given);
        return entry->make_mapper({given, &step, job})->map_partitions();
    };
    run("CREATE TABLE k (id BIGINT)");
    EXPECT_EQ(plan("3").partitions, 0);
    run("INSERT INTO k VALUES (-5); INSERT INTO k VALUES (7); INSERT INTO k VALUES (100)");
    const PartitionPlan three = plan("3");
    ASSERT_EQ(three.partitions, 3);
    EXPECT_EQ(three.properties.front().at("from"), "-5");
    EXPECT_EQ(three.properties.back().at("to"), "100");
    for (std::size_t i = 1; i < 3; ++i)
        EXPECT_EQ(std::stoll(three.properties[i - 1].at("to")) + 1, std::stoll(three.properties[i].at("from")));
    EXPECT_EQ(plan("1000").partitions, 106);
    EXPECT_THAT(refusal([&] { plan("0"); }), HasSubstr("0 is not between 1 and"));
    run("INSERT INTO k VALUES (NULL)");
    EXPECT_THAT(refusal([&] { plan("3"); }), HasSubstr("table \"k\" has rows whose key \"id\" is null"));
    run("DELETE FROM k WHERE id IS NOT NULL");
    EXPECT_THAT(refusal([&] { plan("3"); }), HasSubstr("is null"));
    const Properties threads =
        properties({{"url", data_url}, {"table", "k"}, {"key", "id"}, {"partitions", "1"}, {"threads", "-1"}});
    EXPECT_THAT(refusal([&] { registry.find(ArtifactKind::mapper, "sqlMapper")->check(threads); }),
                HasSubstr("-1 is not between 0 and"));
    run("CREATE TABLE w (id TEXT); INSERT INTO w VALUES ('a')");
    const Properties words = properties({{"url", data_url}, {"table", "w"}, {"key", "id"}, {"partitions", "2"}});
    EXPECT_THAT(
        refusal([&] {
            (void)registry.find(ArtifactKind::mapper, "sqlMapper")->make_mapper({words, &step, job})->map_partitions();
        }),
        HasSubstr("the key \"id\" is not of integers"));
}

TEST_P(SqlBatch, FailureLeavesNothing) {
    EXPECT_THAT(refused("CREATE TABLE t (a TEXT); INSERT INTO missing VALUES (1)"), HasSubstr("missing"));
    EXPECT_TRUE(connection->columns_of("t").empty());
    job.parameters = {{"v", "1"}};
    EXPECT_THAT(refused("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (:v); INSERT INTO missing VALUES (:v)"),
                HasSubstr("missing"));
    EXPECT_TRUE(connection->columns_of("t").empty());
}

TEST_P(SqlBatch, BindsParametersWhereverTheyStand) {
    job.parameters = {{"name", "O'Neill; DROP TABLE t"}, {"n", "5"}};
    run("CREATE TABLE t (a TEXT, b INTEGER, c TEXT);"
        "INSERT INTO t VALUES (:name, :n, :name); -- not :this; nor that\n"
        "INSERT INTO t SELECT a, b + :n, ':name' FROM t /* nor :that; */ WHERE b = :n");
    EXPECT_THAT(rows("SELECT * FROM t ORDER BY b"),
                ElementsAre(Row{"O'Neill; DROP TABLE t", "5", "O'Neill; DROP TABLE t"},
                            Row{"O'Neill; DROP TABLE t", "10", ":name"}));
}

TEST_P(SqlBatch, UnknownParameterIsNamed) {
    job.parameters = {{"file", "x"}};
    EXPECT_EQ(
        refused("SELECT :fiel"),
        "\":fiel\" in sql names no parameter of the job; did you mean \"file\"?; give it with -p fiel=…, or quote "
        "it if it is no parameter");
}

TEST_P(SqlBatch, BodiesKeepTheirSemicolons) {
    run("CREATE TABLE t (a TEXT); CREATE TABLE u (a TEXT)");
    run(is_postgres()
            ? "CREATE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO u VALUES (NEW.a);"
              "INSERT INTO u VALUES (2); RETURN NEW; END $$;"
              "CREATE TRIGGER copy AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION copy();"
              "INSERT INTO t VALUES (1)"
            : "CREATE TRIGGER copy AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.a);"
              "INSERT INTO u VALUES (2); END;"
              "INSERT INTO t VALUES (1)");
    EXPECT_THAT(rows("SELECT * FROM u"), ElementsAre(Row{"1"}, Row{"2"}));
}

TEST_P(SqlBatch, WithoutAUrlMeansTheRepository) {
    make_repository();
    const Properties given = properties({{"sql", "CREATE TABLE mine (a TEXT)"}});
    registry.find(ArtifactKind::batchlet, "sql")->make_batchlet({given, &step, job})->process();
    EXPECT_FALSE(drivers.open(job.repository_url)->connect(sql::OpenMode::read_only)->columns_of("mine").empty());
}

TEST_P(SqlBatch, StopBeforeItBeganDoesNothing) {
    const auto batchlet = make("CREATE TABLE t (a TEXT)");
    batchlet->stop();
    EXPECT_EQ(batchlet->process(), "STOPPED");
    job.parameters = {{"v", "1"}};
    const auto bound = make("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (:v)");
    bound->stop();
    EXPECT_EQ(bound->process(), "STOPPED");
    EXPECT_TRUE(connection->columns_of("t").empty());
}

TEST_P(SqlBatch, StopInterruptsAndRollsBack) {
    const auto batchlet = make(
        "CREATE TABLE t (a BIGINT);"
        "WITH RECURSIVE forever(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM forever) INSERT INTO t SELECT n FROM "
        "forever WHERE n < 0");
    std::atomic<bool> ended = false;
    std::string answer;
    std::thread thread([&] {
        answer = batchlet->process();
        ended = true;
    });
    while (!somebody_writes()) std::this_thread::yield();
    // An interrupt before the statement has begun finds nothing to interrupt.
    while (!ended) {
        batchlet->stop();
        std::this_thread::yield();
    }
    thread.join();
    EXPECT_EQ(answer, "STOPPED");
    EXPECT_TRUE(connection->columns_of("t").empty());
}

TEST_P(SqlBatch, BadPropertiesAreToldByCheck) {
    const auto told = [&](Pairs pairs) { return invalid(ArtifactKind::batchlet, "sql", pairs); };
    EXPECT_EQ(told({{"sql", "SELECT 1"}}), "accepted");
    EXPECT_THAT(told({}), HasSubstr("sql"));
    EXPECT_THAT(told({{"sql", " ; "}}), HasSubstr("holds no statement"));
    for (const char* ends :
         {"commit", "ROLLBACK WORK", "Begin Immediate", "START TRANSACTION", "abort", "END", "end transaction",
          "/* a */ Commit", "-- a\n commit", "COMMIT/**/", "END/**/WORK", "PREPARE TRANSACTION 'a'",
          "CREATE TABLE begin (begin int); END", "CREATE TRIGGER x DELETE ON t BEGIN DELETE FROM u; END; END"})
        EXPECT_THAT(told({{"sql", std::string("DELETE FROM t; ") + ends + "; DELETE FROM u"}}),
                    HasSubstr("one transaction already"));
    for (const char* fine :
         {"SAVEPOINT a; ROLLBACK TO a", "CREATE TRIGGER x DELETE ON t BEGIN DELETE FROM u; END", "SELECT 'a; commit'",
          "ROLLBACK WORK TO a", "create temp trigger x delete on t begin delete from u; /* a */ end; SELECT 1",
          "/* END */", "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
          "PREPARE a AS SELECT 1"})
        EXPECT_EQ(told({{"sql", fine}}), "accepted") << fine;
}

ON_BOTH_ENGINES(SqlBatch);

BoundSql bound(std::string_view sql) { return bind_names(sql, {{"a", "1"}, {"b_2", "2"}}); }

TEST(Names, BecomeNumbers) {
    const BoundSql both = bound("SELECT :b_2, :a, :b_2");
    EXPECT_EQ(both.sql, "SELECT $1, $2, $1");
    EXPECT_THAT(both.values, ElementsAre("2", "1"));
}

TEST(Names, AreNotLookedForInQuotesCommentsAndCasts) {
    for (const char* sql : {"SELECT ':a', ':''a'", R"(SELECT ":a""")", "SELECT `:a`", "SELECT 1 -- :a",
                            "SELECT 1 -- :a\n", "SELECT 1 /* :a ' */", "SELECT 1::a", "SELECT x[1:2]", "SELECT ':a",
                            "SELECT /* :a", "a : b", "SELECT 1 :", "", R"(SELECT E'\':a', 1)", R"(SELECT E'a''\':a')",
                            R"(SELECT e':a\\)", "SELECT $$':a$$", "SELECT $f$ $$:a$$ ; $f$", "SELECT $f$:a"}) {
        EXPECT_EQ(bound(sql).sql, sql);
        EXPECT_THAT(bound(sql).values, IsEmpty());
    }
    EXPECT_EQ(bound(R"(SELECT type':a\'||:a, x$$||:a, $1||:a)").sql, R"(SELECT type':a\'||$1, x$$||$1, $1||$1)");
    EXPECT_EQ(bound("SELECT ':b' || :a::text -- :x\n, :a").sql, "SELECT ':b' || $1::text -- :x\n, $1");
}

TEST(Names, TextWithoutColonsIsNeverChanged) {
    EXPECT_TRUE(rc::check([](std::string text) {
        std::erase(text, ':');
        RC_ASSERT(bound(text).sql == text);
    }));
}

TEST(Statements, EndAtSemicolonsOutsideOfQuotesAndComments) {
    EXPECT_THAT(split_statements("a; b';'c ;; /* ; */ d -- ;\n; e\";\""),
                ElementsAre("a", "b';'c", "/* ; */ d -- ;", "e\";\""));
    EXPECT_THAT(split_statements(" ;\n; "), IsEmpty());
    EXPECT_THAT(split_statements("a $$;$$; $b$ $$; $b$ E';\\';'; c"),
                ElementsAre("a $$;$$", "$b$ $$; $b$ E';\\';'", "c"));
    EXPECT_THAT(split_statements("unclosed ' ; x"), ElementsAre("unclosed ' ; x"));
}

}  // namespace
}  // namespace fermata
