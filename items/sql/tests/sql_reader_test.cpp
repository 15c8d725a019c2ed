#include "fixture.hpp"
#include "key_value.hpp"

#include <rapidcheck.h>

#include <limits>
#include <set>

namespace fermata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Value bytes_of(std::string_view text) { return std::span<const std::byte>(std::as_bytes(std::span(text))); }

class Reader : public SqlFixture {
protected:
    void prepare() override { connection->execute_script("CREATE TABLE vendor (id INTEGER PRIMARY KEY, name TEXT)"); }

    std::unique_ptr<AnyReader> make(std::vector<std::pair<std::string, std::string>> pairs) {
        ResolvedProperties values{{"url", Text(data_url), {}}};
        for (auto& [name, value] : pairs) values.push_back({name, Text(value), {}});
        const Properties given("artifact", "job.xml", values);
        return registry.find(ArtifactKind::reader, "sqlReader")->make_reader({given, &step, job});
    }
    std::unique_ptr<AnyReader> vendors(const std::string& fetch = "2") {
        return make({{"sql", "SELECT * FROM vendor"}, {"key", "id"}, {"fetch", fetch}});
    }
    /// At most `most` rows, as text.
    std::vector<Row> read(AnyReader& reader, std::size_t most = 1000) {
        std::vector<Row> all;
        while (all.size() < most && reader.read(items->slot())) {
            Row row;
            for (const Value& value : static_cast<Record*>(items->slot())->values()) row.push_back(shown(value));
            all.push_back(std::move(row));
        }
        return all;
    }
    void fill(int count) {
        for (int id = 1; id <= count; ++id) {
            const std::string name = "v" + std::to_string(id);
            connection->execute("INSERT INTO vendor VALUES ($1, $2)", {id, std::string_view(name)});
        }
    }
    std::string refused(std::vector<std::pair<std::string, std::string>> pairs) {
        return refusal([&] {
            const auto reader = make(std::move(pairs));
            reader->open(Checkpoint());
            read(*reader);
        });
    }

    std::unique_ptr<ItemBuffer> items = item_type_of<Record>().make_buffer();
};

TEST_P(Reader, ReadsAllPagesInTheOrderOfTheKey) {
    connection->execute_script("INSERT INTO vendor VALUES (3, 'c'), (1, 'a'), (-5, NULL), (2, 'b'), (9, 'd')");
    const auto reader = vendors();
    reader->open(Checkpoint());
    EXPECT_THAT(read(*reader),
                ElementsAre(Row{"-5", "null"}, Row{"1", "a"}, Row{"2", "b"}, Row{"3", "c"}, Row{"9", "d"}));
    EXPECT_FALSE(reader->read(items->slot())) << "the end stays the end";
    reader->close();
}

TEST_P(Reader, EmptyTableIsReadToItsEnd) {
    const auto reader = vendors();
    reader->open(Checkpoint());
    EXPECT_THAT(read(*reader), IsEmpty());
    EXPECT_FALSE(reader->checkpoint());
    EXPECT_EQ(reader->position(), "at the first row");
}

TEST_P(Reader, GoesOnBehindTheCheckpoint) {
    fill(5);
    const auto reader = vendors();
    reader->open(Checkpoint());
    read(*reader, 3);
    const Checkpoint checkpoint = reader->checkpoint();
    EXPECT_EQ(checkpoint.bytes(), "i3");
    EXPECT_EQ(reader->position(), "after id 3");
    const auto later = vendors();
    later->open(checkpoint);
    EXPECT_EQ(later->checkpoint().bytes(), "i3") << "nothing read yet";
    EXPECT_THAT(read(*later), ElementsAre(Row{"4", "v4"}, Row{"5", "v5"}));
    EXPECT_EQ(later->checkpoint().bytes(), "i5");
}

TEST_P(Reader, SeesRowsThatCameBehindItsPage) {
    fill(2);
    const auto reader = vendors("2");
    reader->open(Checkpoint());
    read(*reader, 1);
    connection->execute_script("INSERT INTO vendor VALUES (7, 'late')");
    EXPECT_EQ(read(*reader).size(), 1U) << "the last page was fetched before";
    const Checkpoint end = reader->checkpoint();
    reader->open(end);
    EXPECT_THAT(read(*reader), ElementsAre(Row{"7", "late"}));
}

TEST_P(Reader, ParametersAreBound) {
    fill(5);
    job.parameters = {{"low", "2"}, {"name", "v4' OR 1=1 --"}};
    const auto reader =
        make({{"sql", "SELECT id FROM vendor WHERE id > :low AND name <> :name;"}, {"key", "id"}, {"fetch", "1"}});
    reader->open(Checkpoint());
    EXPECT_THAT(read(*reader), ElementsAre(Row{"3"}, Row{"4"}, Row{"5"}));
    EXPECT_THAT(refused({{"sql", "SELECT id FROM vendor WHERE id > :lwo"}, {"key", "id"}}),
                StartsWith("\":lwo\" in sql names no parameter of the job; did you mean \"low\"?"));
}

TEST_P(Reader, CommentAtTheEndOfTheQueryDoesNotEatOurs) {
    fill(2);
    const auto reader = make({{"sql", "SELECT id FROM vendor -- all"}, {"key", "id"}});
    reader->open(Checkpoint());
    EXPECT_EQ(read(*reader).size(), 2U);
}

TEST_P(Reader, RecordsAreOwnedAndKnowTheirKey) {
    fill(3);
    const auto reader = vendors("1");
    reader->open(Checkpoint());
    while (reader->read(items->slot())) items->keep();
    const auto records = items->items<Record>();
    ASSERT_EQ(records.size(), 3U);
    EXPECT_EQ(records[0][1].text(), "v1");
    EXPECT_EQ(records[0].place(), "id:1");
    EXPECT_EQ(records[0].columns(), records[2].columns());
}

TEST_P(Reader, RecordsAreNamedByAKeyThatIsNoInteger) {
    connection->execute_script("CREATE TABLE country (code TEXT, n INTEGER); INSERT INTO country VALUES ('DE-7', 1)");
    const auto reader = make({{"sql", "SELECT code, n FROM country"}, {"key", "code"}});
    reader->open(Checkpoint());
    ASSERT_TRUE(reader->read(items->slot()));
    items->keep();
    EXPECT_EQ(items->items<Record>()[0].place(), "code \"DE-7\"");
}

TEST_P(Reader, ReadsTheRepositoryWithoutAUrl) {
    make_repository();
    drivers.open(job.repository_url)
        ->connect(sql::OpenMode::create)
        ->execute_script("CREATE TABLE t (k TEXT); INSERT INTO t VALUES ('x')");
    const Properties given = properties({{"sql", "SELECT * FROM t"}, {"key", "k"}});
    const auto reader = registry.find(ArtifactKind::reader, "sqlReader")->make_reader({given, &step, job});
    reader->open(Checkpoint());
    EXPECT_THAT(read(*reader), ElementsAre(Row{"x"}));
}

TEST_P(Reader, KeyThatIsNoColumnIsNamed) {
    EXPECT_EQ(refused({{"sql", "SELECT * FROM vendor"}, {"key", "idd"}}),
              "key \"idd\" is no column of the query; did you mean \"id\"?; name a column of sql by which its rows are "
              "unique");
}

TEST_P(Reader, KeyThatStandsTwiceIsRefusedAlsoAtAPagesEnd) {
    connection->execute_script("CREATE TABLE twice (k TEXT); INSERT INTO twice VALUES ('a'), ('b'), ('b'), ('c')");
    for (const char* fetch : {"1", "2", "3", "10"})
        EXPECT_THAT(refused({{"sql", "SELECT * FROM twice"}, {"key", "k"}, {"fetch", fetch}}),
                    StartsWith("key \"k\" is not unique: \"b\" stands twice"));
}

TEST_P(Reader, NullKeyIsRefused) {
    connection->execute_script("CREATE TABLE nulls (k TEXT); INSERT INTO nulls VALUES ('a'), (NULL), ('b'), ('c')");
    for (const char* fetch : {"1", "3", "10"})  // wherever the engine sorts it
        EXPECT_THAT(refused({{"sql", "SELECT * FROM nulls"}, {"key", "k"}, {"fetch", fetch}}),
                    StartsWith("key \"k\" is null"));
    EXPECT_THAT(refused({{"sql", "SELECT k = 'a' AS yes FROM nulls WHERE k IS NOT NULL"}, {"key", "yes"}}),
                is_postgres() ? StartsWith("key \"yes\" is true/false") : StartsWith("key \"yes\" is not unique"));
}

TEST_P(Reader, UnreadableCheckpointIsRefused) {
    const auto reader = vendors();
    for (const char* bytes : {"", "x", "7", "i", "i1x", "r", "r1z", "b1", "bxy"})
        EXPECT_THAT(refusal([&] { reader->open(Checkpoint(std::string(bytes))); }), StartsWith("checkpoint unreadable"))
            << bytes;
}

TEST_P(Reader, DatabaseIsOpenedForReadingOnly) {
    if (is_postgres()) {
        connection->execute_script("CREATE SEQUENCE number");
        EXPECT_THAT(refused({{"sql", "SELECT nextval('number') AS k"}, {"key", "k"}}), HasSubstr("read-only"));
        return;
    }
    const Properties given = properties({{"url", "missing.db"}, {"sql", "SELECT 1 AS k"}, {"key", "k"}});
    const auto reader = registry.find(ArtifactKind::reader, "sqlReader")->make_reader({given, &step, job});
    EXPECT_THAT(refusal([&] { reader->open(Checkpoint()); }), HasSubstr("missing.db"));
    EXPECT_FALSE(std::filesystem::exists(folder / "missing.db"));
}

TEST_P(Reader, BadPropertiesAreToldByCheck) {
    const auto told = [&](Pairs pairs) { return invalid(ArtifactKind::reader, "sqlReader", pairs); };
    EXPECT_EQ(told({{"sql", "SELECT 1 AS k;"}, {"key", "k"}}), "accepted");
    EXPECT_THAT(told({{"sql", "SELECT 1; SELECT 2"}, {"key", "k"}}), HasSubstr("holds 2 statements"));
    EXPECT_THAT(told({{"sql", ";"}, {"key", "k"}}), HasSubstr("holds 0 statements"));
    EXPECT_THAT(told({{"sql", "SELECT 1"}}), HasSubstr("key"));
    EXPECT_THAT(told({{"sql", "SELECT 1"}, {"key", "k"}, {"fetch", "0"}}), HasSubstr("0 is not from 1 to"));
}

TEST(Key, ComesBackExactly) {
    const auto comes_back = [](const Value& key) {
        const DecodedKey decoded(encode_key(key));
        return same_key(decoded.value(), key);
    };
    EXPECT_TRUE(rc::check([&](std::int64_t number) { RC_ASSERT(comes_back(number)); }));
    EXPECT_TRUE(rc::check([&](double number) { RC_ASSERT(comes_back(number)); }));
    EXPECT_TRUE(rc::check([&](const std::string& text) {
        RC_ASSERT(comes_back(std::string_view(text)));
        RC_ASSERT(comes_back(bytes_of(text)));
    }));
    EXPECT_FALSE(same_key(1, "1"));
}

/// A suite of one engine.
class ReaderOfFile : public Reader {};
class ReaderOfServer : public Reader {
protected:
    // Reader law: reading k rows, opening at the checkpoint and reading on equals one full read, for every k.
    void check_law(const std::string& sql, std::size_t count) {
        for (const char* fetch : {"1", "3", "1000"}) {
            const auto reader = make({{"sql", sql}, {"key", "k"}, {"fetch", fetch}});
            reader->open(Checkpoint());
            const std::vector<Row> full = read(*reader);
            ASSERT_EQ(full.size(), count) << sql;
            for (std::size_t k = 0; k <= full.size(); ++k) {
                reader->open(Checkpoint());
                std::vector<Row> parts = read(*reader, k);
                reader->open(reader->checkpoint());
                for (Row& row : read(*reader)) parts.push_back(std::move(row));
                ASSERT_EQ(parts, full) << sql << " read in two parts at " << k << ", " << fetch << " a page";
            }
        }
    }
};

TEST_P(ReaderOfServer, LawHoldsForEveryKeyType) {
    for (const char* key :
         {"n", "n::smallint", "n - 4", "n * 1.5", "n / 3.0::float8", "n::text", "md5(n::text)", "repeat('ä', n)",
          "md5(n::text)::uuid", "decode(md5(n::text), 'hex')", "chr(64 + n)::char(3)", "date '2026-02-25' + n",
          "timestamp '2026-01-01 00:00:00.000001' + n * interval '1 hour'",
          "timestamptz '2026-03-29 00:00:00Z' + n * interval '30 minutes'", "n * interval '1 day'",
          "('10.0.0.' || n)::inet"})
        check_law("SELECT n, " + std::string(key) + " AS k FROM generate_series(1, 9) AS n", 9);
}

TEST_P(Reader, ReadsManyRows) {
    const std::int64_t count = 50'000;
    connection->execute_script(is_postgres()
                                   ? "INSERT INTO vendor SELECT n, 'name ' || n FROM generate_series(1, 50000) AS n"
                                   : "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50000) "
                                     "INSERT INTO vendor SELECT n, 'name ' || n FROM c");
    const auto reader = vendors("997");
    reader->open(Checkpoint());
    std::int64_t next = 1;
    for (; reader->read(items->slot()); ++next) {
        const auto& record = *static_cast<Record*>(items->slot());
        ASSERT_EQ(record[0].integer(), next);
        ASSERT_EQ(record[1].text(), "name " + std::to_string(next));
        if (next % 1000 == 0) items->clear();
    }
    EXPECT_EQ(next, count + 1);
}

// Reader law: reading k rows, opening at the checkpoint and reading on equals one full read, for every k.
TEST_P(ReaderOfFile, LawHoldsForEveryKeyTypeAndPageSize) {
    connection->execute_script("CREATE TABLE law (k BLOB, n INTEGER)");
    const bool holds = rc::check([&](bool bytes) {
        const auto texts = *rc::gen::resize(6, rc::gen::arbitrary<std::set<std::string>>());
        const auto numbers = *rc::gen::resize(6, rc::gen::arbitrary<std::set<std::int64_t>>());
        sql::Transaction filling(*connection);
        connection->execute("DELETE FROM law");
        int n = 0;
        const auto insert = [&](Value key) { connection->execute("INSERT INTO law VALUES ($1, $2)", {key, ++n}); };
        for (const std::string& text : texts) insert(bytes ? bytes_of(text) : Value(std::string_view(text)));
        for (const std::int64_t number : numbers) insert(number);
        filling.commit();
        for (const char* fetch : {"1", "3", "1000"}) {
            const auto reader = make({{"sql", "SELECT n, k FROM law"}, {"key", "k"}, {"fetch", fetch}});
            reader->open(Checkpoint());
            const std::vector<Row> full = read(*reader);
            RC_ASSERT(full.size() == static_cast<std::size_t>(n));
            for (std::size_t k = 0; k <= full.size(); ++k) {
                reader->open(Checkpoint());
                std::vector<Row> parts = read(*reader, k);
                reader->open(reader->checkpoint());
                for (Row& row : read(*reader)) parts.push_back(std::move(row));
                RC_ASSERT(parts == full);
            }
        }
    });
    EXPECT_TRUE(holds);
}

ON_BOTH_ENGINES(Reader);
INSTANTIATE_TEST_SUITE_P(On, ReaderOfFile, ::testing::Values(Engine::sqlite), engine_name);
INSTANTIATE_TEST_SUITE_P(On, ReaderOfServer, ::testing::Values(Engine::postgres), engine_name);

}  // namespace
}  // namespace fermata
