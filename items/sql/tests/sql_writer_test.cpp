#include "fixture.hpp"

#include <limits>
#include <thread>

namespace fermata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Writer : public SqlFixture {
protected:
    void make(Pairs pairs) {
        const Properties given = properties(pairs);
        writer = registry.find(ArtifactKind::writer, "sqlWriter")->make_writer({given, &step, job});
        writer->open(Checkpoint());
    }
    static ColumnsPtr columns(std::vector<std::string> names) {
        return std::make_shared<const Columns>(std::move(names));
    }
    /// Cells live as long as the test's literals.
    void add(const ColumnsPtr& shape, std::initializer_list<Value> cells) {
        auto& record = *static_cast<Record*>(items->slot());
        std::ranges::copy(cells, record.reset(shape).begin());
        record.batch().source = "vendors.csv";
        record.set_origin(static_cast<std::int64_t>(items->size()) + 1, "raw line");
        items->keep();
    }
    void write() {
        ChunkTransaction transaction(*connection);
        writer->write(*items, transaction);
        transaction.commit();
        items->clear();
    }
    std::string refused() {
        return refusal([&] { write(); });
    }

    std::unique_ptr<AnyWriter> writer;
    std::unique_ptr<ItemBuffer> items = item_type_of<Record>().make_buffer();
    ColumnsPtr id_name = columns({"id", "name"});
};

TEST_P(Writer, InsertsRecords) {
    connection->execute_script("CREATE TABLE vendor (id INTEGER PRIMARY KEY, name TEXT, country TEXT)");
    make({{"table", "vendor"}});
    add(id_name, {"1", "Ann"});
    add(id_name, {"2", nullptr});
    write();
    add(id_name, {"3", "Cid"});
    write();
    EXPECT_THAT(rows("SELECT id, name, country FROM vendor ORDER BY id"),
                ElementsAre(Row{"1", "Ann", "null"}, Row{"2", "null", "null"}, Row{"3", "Cid", "null"}));
}

TEST_P(Writer, IsTransactional) {
    make({{"table", "vendor"}});
    EXPECT_EQ(writer->sink().sink_class, SinkClass::transactional);
    EXPECT_EQ(writer->sink().url, "") << "the repository's own database";
    EXPECT_EQ(writer->sink().sink_table, "fermata_sink");
}

TEST_P(Writer, UrlMeansTheWorkingDirectory) {
    const auto url_for = [&](const std::string& url) {
        make({{"table", "t"}, {"url", url}, {"sink-table", "none"}});
        EXPECT_EQ(writer->sink().sink_table, "none");
        return writer->sink().url;
    };
    EXPECT_EQ(url_for("out/a.db"), "sqlite:" + (folder / "out/a.db").string());
    EXPECT_EQ(url_for("sqlite:a.db"), "sqlite:" + (folder / "a.db").string());
    EXPECT_EQ(url_for("sqlite:/x/a.db"), "sqlite:/x/a.db");
    EXPECT_EQ(url_for("postgresql://host/db"), "postgresql://host/db");
    ::setenv("FERMATA_TEST_PASSWORD", "s3", 1);
    EXPECT_EQ(url_for("postgresql://me:@env:FERMATA_TEST_PASSWORD@host/db"), "postgresql://me:s3@host/db");
    EXPECT_EQ(writer->sink().recorded_url, "postgresql://me:@env:FERMATA_TEST_PASSWORD@host/db");
    EXPECT_EQ(url_for("postgresql://me:plain@host/db"), "postgresql://me:plain@host/db");
    EXPECT_EQ(writer->sink().recorded_url, "postgresql://me@host/db");
    const std::string file = url_for("a.db");
    EXPECT_EQ(file, writer->sink().recorded_url);
}

TEST_P(Writer, EmptyChunkTakesNoTransaction) {
    make({{"table", "missing"}});
    ChunkTransaction transaction(*connection);
    writer->write(*items, transaction);
    EXPECT_FALSE(connection->in_transaction());
}

TEST_P(Writer, UpsertReplacesByThePrimaryKey) {
    connection->execute_script("CREATE TABLE vendor (id INTEGER PRIMARY KEY, name TEXT)");
    make({{"table", "vendor"}, {"mode", "upsert"}});
    add(id_name, {"1", "Ann"});
    add(id_name, {"1", "Bea"});
    write();
    EXPECT_THAT(rows("SELECT * FROM vendor"), ElementsAre(Row{"1", "Bea"}));
}

TEST_P(Writer, UpsertReplacesByTheKeysNamed) {
    connection->execute_script("CREATE TABLE vendor (id " + std::string(database->dialect().auto_id) +
                               ", code TEXT UNIQUE, name TEXT)");
    make({{"table", "vendor"}, {"mode", "upsert"}, {"keys", "code"}});
    const ColumnsPtr shape = columns({"code", "name"});
    add(shape, {"x", "Ann"});
    add(shape, {"x", "Bea"});
    write();
    EXPECT_THAT(rows("SELECT code, name FROM vendor"), ElementsAre(Row{"x", "Bea"}));
}

TEST_P(Writer, CreateMakesATableOfText) {
    make({{"table", "made"}, {"mode", "upsert"}, {"keys", "id"}, {"create", "true"}});
    add(id_name, {"007", "Ann"});
    add(id_name, {"007", "Bea"});
    write();
    EXPECT_THAT(rows("SELECT * FROM made"), ElementsAre(Row{"007", "Bea"}));
    const auto made = connection->columns_of("made");
    EXPECT_EQ(made[0].key, 1);
    EXPECT_EQ(made[1].type, sql::ColumnType::text);
}

TEST_P(Writer, CreateTakesASchema) {
    const std::string table = is_postgres() ? "public.made" : "main.made";
    make({{"table", table}, {"create", "true"}});
    add(id_name, {"1", "Ann"});
    write();
    EXPECT_THAT(rows("SELECT * FROM made"), ElementsAre(Row{"1", "Ann"}));
}

TEST_P(Writer, CreateWithoutKeysIsPlain) {
    make({{"table", "made"}, {"create", "true"}, {"columns", "name"}});
    add(id_name, {"1", "Ann"});
    add(id_name, {"2", "Ann"});
    write();
    EXPECT_THAT(rows("SELECT * FROM made"), ElementsAre(Row{"Ann"}, Row{"Ann"}));
}

TEST_P(Writer, RolledBackChunkTakesItsTableWithIt) {
    make({{"table", "made"}, {"create", "true"}});
    add(id_name, {"1", "Ann"});
    {
        ChunkTransaction transaction(*connection);
        writer->write(*items, transaction);
    }
    EXPECT_TRUE(connection->columns_of("made").empty());
    writer->open(Checkpoint());
    write();
    EXPECT_THAT(rows("SELECT * FROM made"), ElementsAre(Row{"1", "Ann"}));
}

TEST_P(Writer, ColumnsRestrictAndOrder) {
    connection->execute_script("CREATE TABLE vendor (name TEXT, id TEXT)");
    make({{"table", "vendor"}, {"columns", "name, id"}});
    const ColumnsPtr shape = columns({"id", "extra", "name"});
    add(shape, {"1", "no", "Ann"});
    write();
    EXPECT_THAT(rows("SELECT name, id FROM vendor"), ElementsAre(Row{"Ann", "1"}));
}

TEST_P(Writer, NamesMatchWithoutRegardToCaseIfNotExactly) {
    connection->execute_script(R"(CREATE TABLE vendor ("ID" TEXT, "Name" TEXT))");
    make({{"table", "vendor"}});
    add(id_name, {"1", "Ann"});
    write();
    EXPECT_THAT(rows("SELECT * FROM vendor"), ElementsAre(Row{"1", "Ann"}));
}

TEST_P(Writer, RecordsOfSeveralShapesGoTogether) {
    connection->execute_script("CREATE TABLE vendor (id TEXT, name TEXT)");
    make({{"table", "vendor"}});
    const ColumnsPtr only_id = columns({"id"});
    add(id_name, {"1", "Ann"});
    add(only_id, {"2"});
    add(columns({"id", "name"}), {"3", "Cid"});
    write();
    EXPECT_THAT(rows("SELECT * FROM vendor ORDER BY id"),
                ElementsAre(Row{"1", "Ann"}, Row{"2", "null"}, Row{"3", "Cid"}));
}

TEST_P(Writer, EndlesslyManyShapesDoNotPileUp) {
    std::string table = "CREATE TABLE wide (c0 TEXT";
    for (int i = 1; i < 100; ++i) table += ", c" + std::to_string(i) + " TEXT";
    connection->execute_script(table + ")");
    make({{"table", "wide"}});
    for (int i = 0; i < 100; ++i) add(columns({"c" + std::to_string(i)}), {"x"});
    write();
    EXPECT_EQ(rows("SELECT count(*) FROM wide")[0][0], "100");
}

TEST_P(Writer, MissingTableIsNamed) {
    connection->execute_script("CREATE TABLE vendors (id TEXT)");
    make({{"table", "vendor"}});
    add(id_name, {"1", "Ann"});
    EXPECT_EQ(refused(), "there is no table \"vendor\"; did you mean \"vendors\"?; create it, or set create=\"true\"");
}

TEST_P(Writer, ColumnTheTableLacksIsNamed) {
    connection->execute_script("CREATE TABLE vendor (id TEXT, names TEXT)");
    make({{"table", "vendor"}});
    add(id_name, {"1", "Ann"});
    EXPECT_THAT(refused(),
                StartsWith("table \"vendor\" has no column \"name\" for the records' column; did you mean \"names\"?"));
}

TEST_P(Writer, ColumnTheRecordsLackIsNamed) {
    connection->execute_script("CREATE TABLE vendor (id TEXT, name TEXT)");
    make({{"table", "vendor"}, {"columns", "id,nme"}});
    add(id_name, {"1", "Ann"});
    EXPECT_EQ(refused(),
              "column \"nme\" of sqlWriter is not in the records; did you mean \"name\"?; the records have: id, name");
}

TEST_P(Writer, RequiredColumnThatIsNotWrittenIsNamedAtOnce) {
    connection->execute_script("CREATE TABLE vendor (id " + std::string(database->dialect().auto_id) +
                               ", name TEXT, day TEXT NOT NULL DEFAULT 'x', by TEXT NOT NULL)");
    make({{"table", "vendor"}, {"columns", "name"}});
    add(id_name, {"1", "Ann"});
    EXPECT_THAT(refused(), StartsWith("column \"by\" of table \"vendor\" must not be null and has no default"));
}

TEST_P(Writer, UpsertNeedsAKeyThatIsWritten) {
    connection->execute_script(
        "CREATE TABLE bare (id TEXT, name TEXT); CREATE TABLE keyed (id TEXT, name TEXT, code TEXT UNIQUE)");
    make({{"table", "bare"}, {"mode", "upsert"}});
    add(id_name, {"1", "Ann"});
    EXPECT_THAT(refused(), StartsWith("table \"bare\" has no primary key to upsert by"));
    make({{"table", "keyed"}, {"mode", "upsert"}, {"keys", "code"}});
    EXPECT_THAT(refused(), StartsWith("key \"code\" of table \"keyed\" is not among the columns written"));
}

TEST_P(Writer, ConstraintErrorNamesTheRecord) {
    connection->execute_script("CREATE TABLE vendor (id INTEGER PRIMARY KEY, name TEXT)");
    make({{"table", "vendor"}});
    add(id_name, {"1", "Ann"});
    add(id_name, {"1", "Bea"});
    try {
        write();
        FAIL() << "accepted";
    } catch (const ConstraintError& error) {
        EXPECT_EQ(error.position(), "vendors.csv:2");
        EXPECT_EQ(error.raw(), "raw line");
    }
}

TEST_P(Writer, ConversionErrorNamesTheRecord) {
    connection->execute_script("CREATE TABLE vendor (id INTEGER, name TEXT)");
    make({{"table", "vendor"}});
    add(columns({"name"}), {"other shape"});
    add(id_name, {"1", "Ann"});
    add(id_name, {"two", "Bea"});
    try {
        write();
        FAIL() << "accepted";
    } catch (const ConversionError& error) {
        EXPECT_EQ(error.position(), "vendors.csv:3");
        EXPECT_THAT(error.what(), HasSubstr("\"two\""));
    }
}

TEST_P(Writer, GeneratedColumnIsNamed) {
    connection->execute_script(is_postgres() ? "CREATE TABLE vendor (id bigint GENERATED ALWAYS AS IDENTITY, name TEXT)"
                                             : "CREATE TABLE vendor (name TEXT, id TEXT AS (name || '!'))");
    make({{"table", "vendor"}});
    add(id_name, {"1", "Ann"});
    EXPECT_THAT(refused(), StartsWith("column \"id\" of table \"vendor\" is GENERATED ALWAYS"));
    make({{"table", "vendor"}, {"columns", "name"}});
    write();
    EXPECT_THAT(rows("SELECT name FROM vendor"), ElementsAre(Row{"Ann"}));
}

TEST_P(Writer, GeneratedColumnIsNotRequired) {
    connection->execute_script("CREATE TABLE vendor (id TEXT, n TEXT NOT NULL GENERATED ALWAYS AS (id || '!') STORED)");
    make({{"table", "vendor"}});
    add(columns({"id"}), {"1"});
    write();
    EXPECT_THAT(rows("SELECT n FROM vendor"), ElementsAre(Row{"1!"}));
}

TEST_P(Writer, TwoColumnsForOneAreNamed) {
    connection->execute_script("CREATE TABLE vendor (id INTEGER, name TEXT)");
    make({{"table", "vendor"}});
    add(columns({"Id", "name", "ID"}), {"1", "Ann", "2"});
    EXPECT_THAT(refused(),
                StartsWith("the records' columns \"Id\" and \"ID\" are both column \"id\" of table \"vendor\"; "
                           "rename or drop one"));
}

TEST_P(Writer, WhatIsNoNumberSaysWhy) {
    connection->execute_script("CREATE TABLE vendor (id BIGINT, name TEXT)");
    make({{"table", "vendor"}});
    const auto told = [&](Value id) {
        items->clear();
        add(id_name, {id, "Ann"});
        return refused();
    };
    EXPECT_THAT(told("1.5"), StartsWith("\"1.5\" is no whole number for column vendor.id"));
    EXPECT_THAT(told("9223372036854775808"), StartsWith("\"9223372036854775808\" is too large for column vendor.id"));
    EXPECT_THAT(told("one"), StartsWith("\"one\" is not a number for column vendor.id"));
    EXPECT_THAT(told(std::numeric_limits<double>::quiet_NaN()), StartsWith("\"nan\" is not a number"));
    EXPECT_THAT(rows("SELECT id FROM vendor"), ::testing::IsEmpty());
}

TEST_P(Writer, CloseLetsGoOfTheConnection) {
    connection->execute_script("CREATE TABLE vendor (id TEXT, name TEXT)");
    make({{"table", "vendor"}});
    add(id_name, {"1", "Ann"});
    write();
    writer->close();
    connection.reset();
    writer.reset();
}

TEST_P(Writer, BadPropertiesAreToldByCheck) {
    const auto told = [&](Pairs pairs) { return invalid(ArtifactKind::writer, "sqlWriter", pairs); };
    EXPECT_EQ(told({{"table", "t"}}), "accepted");
    EXPECT_THAT(told({}), HasSubstr("table"));
    EXPECT_THAT(told({{"table", ""}}), HasSubstr("table"));
    EXPECT_THAT(told({{"table", "t"}, {"mode", "upset"}}), HasSubstr("did you mean \"upsert\"?"));
    EXPECT_THAT(told({{"table", "t"}, {"keys", "id"}}), HasSubstr("have a meaning with mode=\"upsert\" only"));
    EXPECT_THAT(told({{"table", "t"}, {"mode", "upsert"}, {"create", "true"}}), HasSubstr("needs keys"));
    EXPECT_THAT(told({{"table", "t"}, {"columns", "a,,b"}}), HasSubstr("names nothing between two commas"));
}

class WriterToServer : public Writer {};

TEST_P(WriterToServer, TextGoesIntoEveryType) {
    connection->execute_script(
        "CREATE TABLE typed (i INT, n NUMERIC(10, 2), f FLOAT8, b BOOLEAN, d DATE, t TIMESTAMPTZ, u UUID, j JSONB, "
        "x BYTEA, a TEXT[], v VARCHAR(3))");
    make({{"table", "typed"}});
    const ColumnsPtr shape = columns({"i", "n", "f", "b", "d", "t", "u", "j", "x", "a", "v"});
    add(shape, {"7", "1.50", "2.5", "true", "2026-11-22", "2026-11-22 06:00:00+01",
                "00000000-0000-0000-0000-000000000001", R"({"k": [1]})", "ab", "{a,b}", "abc"});
    add(shape, {"-7", nullptr, "1e3", "f", "2026-02-28", "2026-11-22T06:00:00Z", nullptr, "1", nullptr, "{}", ""});
    write();
    EXPECT_THAT(
        rows("SELECT i::text, n::text, f::text, b::text, d::text, t::text, u::text, j::text, x::text, a::text, v "
             "FROM typed ORDER BY i DESC"),
        ElementsAre(
            Row{"7", "1.50", "2.5", "true", "2026-11-22", "2026-11-22 05:00:00+00",
                "00000000-0000-0000-0000-000000000001", R"({"k": [1]})", "\\x6162", "{a,b}", "abc"},
            Row{"-7", "null", "1000", "false", "2026-02-28", "2026-11-22 06:00:00+00", "null", "1", "null", "{}", ""}));
}

TEST_P(WriterToServer, OfTwoThatMakeTheTableTheSecondWritesIntoTheFirstOnes) {
    const auto other = database->connect(sql::OpenMode::read_write);
    other->begin();
    other->execute("CREATE TABLE made (id TEXT, name TEXT)");
    make({{"table", "made"}, {"create", "true"}});
    add(id_name, {"1", "Ann"});
    std::jthread second([&] { write(); });
    const auto looking = database->connect(sql::OpenMode::read_only);
    const auto waits = [&] {
        return looking->execute("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0].integer() > 0;
    };
    while (!waits()) std::this_thread::yield();
    other->commit();
    second.join();
    EXPECT_THAT(rows("SELECT id, name FROM made"), ElementsAre(Row{"1", "Ann"}));
}

TEST_P(WriterToServer, ATableThatCannotBeMadeIsToldAsTheServerSaysIt) {
    make({{"table", "nowhere.made"}, {"create", "true"}});
    add(id_name, {"1", "Ann"});
    EXPECT_THAT(refused(), HasSubstr("nowhere"));
}

TEST_P(Writer, LargeChunksAreWrittenLikeSmallOnes) {
    connection->execute_script("CREATE TABLE vendor (id INTEGER PRIMARY KEY, name TEXT)");
    make({{"table", "vendor"}});
    for (std::int64_t id = 1; id <= 5000; ++id) add(id_name, {id, id % 3 == 0 ? Value(nullptr) : Value("x,\t\"\\N\n")});
    write();
    EXPECT_THAT(rows("SELECT count(*), sum(id), count(name), min(length(name)) FROM vendor"),
                ElementsAre(Row{"5000", "12502500", "3334", "7"}));
}

ON_BOTH_ENGINES(Writer);
INSTANTIATE_TEST_SUITE_P(On, WriterToServer, ::testing::Values(Engine::postgres), engine_name);

}  // namespace
}  // namespace fermata
