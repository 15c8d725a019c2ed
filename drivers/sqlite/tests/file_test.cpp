#include "fixture.hpp"

#include <fstream>

namespace fermata::sqlite {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using FileTest = SqliteTest;

unsigned mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
}

void write_text(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

std::string pragma(sql::Connection& connection, const std::string& name) {
    const auto rows = connection.execute("SELECT CAST(" + name + " AS TEXT) FROM pragma_" + name);
    return std::string(rows[0][0].text());
}

TEST_F(FileTest, CreatesPrivateFileAndFolders) {
    const auto database = open_database("sqlite:" + path("new/deeper/jobs.db"));
    EXPECT_FALSE(database->exists());
    (void)database->connect(OpenMode::create_private);
    EXPECT_TRUE(database->exists());
    EXPECT_EQ(mode_of(path("new/deeper")), 0700U);
    EXPECT_EQ(mode_of(path("new")), 0700U);
    EXPECT_EQ(mode_of(path("new/deeper/jobs.db")), 0600U);
    EXPECT_EQ(mode_of(path("new/deeper/jobs.db-fermata.lock")), 0600U);
}

TEST_F(FileTest, OthersGetTheModeTheUmaskSays) {
    const mode_t before = ::umask(027);
    (void)open_database("sqlite:" + path("shared/sink.db"))->connect(OpenMode::create);
    ::umask(before);
    EXPECT_EQ(mode_of(path("shared")), 0750U);
    EXPECT_EQ(mode_of(path("shared/sink.db")), 0640U);
    EXPECT_EQ(mode_of(path("shared/sink.db-fermata.lock")), 0640U);
}

TEST_F(FileTest, ALockFileThatWasLeftDoesNotOpenAPrivateFileToOthers) {
    (void)open_database(path())->connect(OpenMode::create);
    std::filesystem::remove(path());
    (void)open_database(path())->connect(OpenMode::create_private);
    EXPECT_EQ(mode_of(path()), 0600U);
}

TEST_F(FileTest, SetsUpEveryConnection) {
    for (const OpenMode mode : {OpenMode::create, OpenMode::read_write, OpenMode::read_only}) {
        const auto connection = connect(mode);
        EXPECT_EQ(pragma(*connection, "journal_mode"), "wal");
        EXPECT_EQ(pragma(*connection, "synchronous"), "2");
        EXPECT_EQ(pragma(*connection, "foreign_keys"), "1");
        EXPECT_EQ(pragma(*connection, "cell_size_check"), "1");
        EXPECT_EQ(pragma(*connection, "trusted_schema"), "0");
    }
}

TEST_F(FileTest, AnExistingDatabaseKeepsItsJournalMode) {
    ForeignProgram(path()).run("CREATE TABLE t (x)");
    const auto connection = connect(OpenMode::create);
    EXPECT_EQ(pragma(*connection, "journal_mode"), "delete");
    EXPECT_EQ(connection->execute("INSERT INTO t VALUES (1)").changed, 1);
}

TEST_F(FileTest, ReadOnlyUseLeavesNoFile) {
    ForeignProgram(path()).run("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
    ASSERT_THAT(files(), ElementsAre("test.db"));
    EXPECT_TRUE(connect(OpenMode::read_only)->execute("SELECT * FROM t").empty());
    EXPECT_THAT(files(), ElementsAre("test.db"));
}

TEST_F(FileTest, TheLastToCloseCopiesTheLogIntoTheFile) {
    connect(OpenMode::create)->execute("CREATE TABLE t (x)");
    EXPECT_THAT(files(), UnorderedElementsAre("test.db", "test.db-fermata.lock"));
}

TEST_F(FileTest, ClosingLightlyLeavesTheLogAndNothingIsLost) {
    for (int i = 0; i < 3; ++i) {
        const auto connection = connect(OpenMode::create);
        connection->close_lightly();
        connection->execute("CREATE TABLE IF NOT EXISTS t (x)");
        connection->execute("INSERT INTO t VALUES ($1)", {Value(i)});
    }
    EXPECT_THAT(files(), Contains("test.db-wal"));
    EXPECT_EQ(connect(OpenMode::read_only)->execute("SELECT * FROM t").size(), 3U);
    EXPECT_THAT(files(), UnorderedElementsAre("test.db", "test.db-fermata.lock")) << "the reader closed as usual";
}

TEST_F(FileTest, ClosingLightlyCopiesALongLogThatTheNextWouldHaveToRead) {
    {
        const auto connection = connect(OpenMode::create);
        connection->close_lightly();
        connection->execute("CREATE TABLE t (x)");
        connection->execute("INSERT INTO t VALUES (randomblob(2 << 20))");
    }
    EXPECT_THAT(files(), UnorderedElementsAre("test.db", "test.db-fermata.lock"));
}

TEST_F(FileTest, ReadOnlyUseCreatesNoDatabase) {
    for (const OpenMode mode : {OpenMode::read_only, OpenMode::read_write}) {
        const auto error = thrown_by<SqlError>([&] { (void)connect(mode); });
        EXPECT_EQ(error.sql_kind(), SqlError::Kind::unreachable);
        EXPECT_EQ(error.what(), path() + ": there is no such database");
    }
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(FileTest, PathsMayHoldAnyCharacter) {
    const std::string odd = path("täglich 100%25 ?mode=memory&#1.db");
    open_database(odd)->connect(OpenMode::create)->execute("CREATE TABLE t (x)");
    EXPECT_TRUE(std::filesystem::exists(odd));
}

TEST_F(FileTest, NamesWithoutAFileAreRefused) {
    for (const char* url : {"sqlite:", "", ":memory:", "sqlite::memory:"})
        EXPECT_EQ(thrown_by<Error>([&] { (void)open_database(url); }).kind(), ErrorKind::usage) << url;
}

TEST_F(FileTest, IdentityIsTheFileWhateverTheName) {
    create_number();
    std::filesystem::create_symlink(path(), path("link.db"));
    EXPECT_EQ(open_database(path())->identity(), open_database("sqlite:" + path("link.db"))->identity());
    EXPECT_THROW((void)open_database(path("none.db"))->identity(), SqlError);
}

TEST_F(FileTest, AFolderIsNoDatabase) {
    const auto error = thrown_by<SqlError>([&] { (void)open_database(folder_.path())->connect(OpenMode::create); });
    EXPECT_EQ(error.sql_kind(), SqlError::Kind::unreachable);
    EXPECT_EQ(error.what(), folder_.path().string() + ": is a folder, not a database");
}

TEST_F(FileTest, ADeviceOrAPipeIsNoDatabaseAndNothingIsPutBesideIt) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    for (const std::string& special : {path("pipe"), std::string("/dev/null")}) {
        const auto error = thrown_by<SqlError>([&] { (void)open_database(special)->connect(OpenMode::create); });
        EXPECT_EQ(error.sql_kind(), SqlError::Kind::unreachable);
        EXPECT_EQ(error.what(), special + ": is a device or a pipe, not a database");
    }
    EXPECT_THAT(files(), ElementsAre("pipe"));
    EXPECT_FALSE(std::filesystem::exists("/dev/null-fermata.lock"));
}

TEST_F(FileTest, AnotherFileIsNoDatabase) {
    write_text(path(), std::string(8192, 'x'));
    for (const OpenMode mode : {OpenMode::create, OpenMode::read_only}) {
        const auto error = thrown_by<SqlError>([&] { (void)connect(mode); });
        EXPECT_EQ(error.sql_kind(), SqlError::Kind::corrupt);
        EXPECT_EQ(error.what(), path() + ": file is not a database");
    }
    EXPECT_THAT(open_database(path())->integrity_check(), ElementsAre(HasSubstr("file is not a database")));
}

TEST_F(FileTest, AFolderThatCannotBeMadeIsNamed) {
    write_text(path("file"), "");
    const auto error =
        thrown_by<SqlError>([&] { (void)open_database(path("file/sub/jobs.db"))->connect(OpenMode::create); });
    EXPECT_EQ(error.sql_kind(), SqlError::Kind::unreachable);
    EXPECT_THAT(error.what(), HasSubstr(path("file/sub") + ": cannot create the folder: Not a directory"));
}

TEST_F(FileTest, WithoutPermissionItSaysSo) {
    create_number();
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
    if (::getuid() != 0) GTEST_SKIP() << "needs root: the file must belong to somebody else";
    EXPECT_EQ(message_as_nobody([&] { (void)connect(OpenMode::read_write); }),
              "forbidden " + path() + ": unable to open database file");
}

TEST_F(FileTest, AReadOnlyFileIsReadButNotWritten) {
    ForeignProgram(path()).run("CREATE TABLE t (x)");
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0777), 0);
    ASSERT_EQ(::chmod(path().c_str(), 0444), 0);
    EXPECT_EQ(message_as_nobody([&] { (void)connect(OpenMode::read_write)->execute("SELECT * FROM t"); }), "");
    EXPECT_EQ(message_as_nobody([&] { connect(OpenMode::read_write)->begin(); }),
              "forbidden " + path() + ": cannot be written");
    EXPECT_EQ(message_as_nobody([&] { connect(OpenMode::read_write)->execute("DELETE FROM t"); }),
              "forbidden " + path() + ": cannot be written");
    EXPECT_THAT(files(), ElementsAre("test.db"));
}

TEST_F(FileTest, WithoutALockFileNothingIsWritten) {
    ForeignProgram(path()).run("CREATE TABLE t (x)");
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod(path().c_str(), 0666), 0);
    if (::getuid() != 0) GTEST_SKIP() << "needs root: the folder must belong to somebody else";
    EXPECT_EQ(message_as_nobody([&] { connect(OpenMode::read_write)->begin(); }),
              "forbidden " + path() + ": cannot write: " + path() + "-fermata.lock: Permission denied");
}

TEST_F(FileTest, DamagedPagesAreFound) {
    {
        const auto connection = connect();
        connection->execute_script("CREATE TABLE t (x TEXT); CREATE INDEX i ON t (x);");
        for (int i = 0; i < 200; ++i) connection->execute("INSERT INTO t VALUES ($1)", {std::string(100, 'a').c_str()});
    }
    ASSERT_THAT(open_database(path())->integrity_check(), IsEmpty());
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 + 100);
    file << std::string(6000, '\xee');
    file.close();
    EXPECT_FALSE(open_database(path())->integrity_check().empty());
    const auto error = thrown_by<SqlError>([&] { connect()->execute("UPDATE t SET x = 'b'"); });
    EXPECT_EQ(error.sql_kind(), SqlError::Kind::corrupt);
    EXPECT_THAT(error.what(), HasSubstr(path()));
}

TEST_F(FileTest, RowsThatReferToNothingAreFound) {
    ForeignProgram(path()).run(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a REFERENCES a); INSERT INTO b VALUES (7)");
    EXPECT_THAT(open_database(path())->integrity_check(),
                ElementsAre("row 1 of table b refers to a row of a that is not there"));
}

TEST_F(FileTest, IntegrityCheckOfNothingIsAnError) {
    EXPECT_THROW((void)open_database(path())->integrity_check(), SqlError);
}

TEST_F(FileTest, BackupIsAConsistentPrivateCopy) {
    create_number();
    const auto writer = connect();
    writer->begin();
    writer->execute("UPDATE number SET n = 7");
    open_database(path())->backup_to(path("copy.db"));
    writer->commit();
    EXPECT_EQ(mode_of(path("copy.db")), 0600U);
    EXPECT_THAT(open_database(path("copy.db"))->integrity_check(), IsEmpty());
    EXPECT_EQ(number(*open_database(path("copy.db"))->connect(OpenMode::read_only)), 0);
    EXPECT_EQ(number(*writer), 7);
}

TEST_F(FileTest, BackupRefusesAnExistingTarget) {
    create_number();
    write_text(path("copy.db"), "precious");
    const auto error = thrown_by<Error>([&] { open_database(path())->backup_to(path("copy.db")); });
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_EQ(error.what(), path("copy.db") + ": exists already");
    EXPECT_EQ(std::filesystem::file_size(path("copy.db")), 8U);
}

TEST_F(FileTest, BackupIntoAMissingFolderIsNamed) {
    create_number();
    EXPECT_THAT(thrown_by<SqlError>([&] { open_database(path())->backup_to(path("no/copy.db")); }).what(),
                HasSubstr(path("no/copy.db") + ": cannot create the backup: No such file or directory"));
}

TEST_F(FileTest, ManyTextsDoNotPileUp) {
    const auto connection = connect();
    for (int i = 0; i < 600; ++i) {
        const std::string sql = "SELECT " + std::to_string(i);
        EXPECT_EQ(connection->execute(sql)[0][0].integer(), i);
    }
}

TEST_F(FileTest, OnlyDollarParametersAndOneStatement) {
    const auto connection = connect();
    for (const char* sql : {"SELECT ?", "SELECT :a", "SELECT $a", "SELECT $0", "SELECT 1; SELECT 2", ""})
        EXPECT_EQ(thrown_by<SqlError>([&] { connection->execute(sql, {1}); }).sql_kind(), SqlError::Kind::syntax)
            << sql;
}

TEST_F(FileTest, AReadingCursorSeesErrors) {
    const auto connection = connect();
    const auto cursor = connection->query("SELECT abs(-9223372036854775807 - 1)");
    EXPECT_THROW(cursor->next(), SqlError);
}

TEST_F(FileTest, TheValueRefusedIsNamed) {
    const auto connection = connect();
    connection->execute("CREATE TABLE vendor (id INTEGER PRIMARY KEY, name TEXT NOT NULL, b BLOB UNIQUE)");
    const auto refusal = [&](std::vector<Value> cells) {
        const sql::Transaction transaction(*connection);
        const auto bulk = connection->bulk({.table = "vendor", .columns = {"id", "name", "b"}});
        return std::string(thrown_by<ConstraintError>([&] { bulk->write(cells.size() / 3, cells); }).what());
    };
    EXPECT_EQ(refusal({17, "a", nullptr, "17", "b", nullptr}),
              path() + ": UNIQUE constraint failed: vendor.id (id = \"17\")");
    EXPECT_EQ(refusal({1, nullptr, 1}), path() + ": NOT NULL constraint failed: vendor.name (name = null)");
    EXPECT_EQ(refusal({1, "a", true, 2, "b", true}), path() + ": UNIQUE constraint failed: vendor.b (b = true)");
    EXPECT_EQ(refusal({1, "a", 1.5, 2, "b", 1.5}), path() + ": UNIQUE constraint failed: vendor.b (b = 1.5)");
    const Value bytes = std::as_bytes(std::span("xy", 2));
    EXPECT_EQ(refusal({1, "a", bytes, 2, "b", bytes}), path() + ": UNIQUE constraint failed: vendor.b (b = 2 bytes)");
    EXPECT_EQ(refusal({bytes, "a", nullptr}), path() + ": datatype mismatch");
}

}  // namespace
}  // namespace fermata::sqlite
