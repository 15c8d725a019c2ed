// empty_chunk DATABASE COUNT: what a chunk costs when nothing is in it: a transaction of two updates by primary key.
#include "sqlite.hpp"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: empty_chunk DATABASE COUNT\n", stderr);
        return 2;
    }
    const long count = std::strtol(argv[2], nullptr, 10);
    baseline::Database database(argv[1]);
    database.run(
        "CREATE TABLE step (id INTEGER PRIMARY KEY, position TEXT, read INTEGER, written INTEGER);"
        "CREATE TABLE execution (id INTEGER PRIMARY KEY, updated INTEGER);"
        "INSERT INTO step VALUES (1, '', 0, 0); INSERT INTO execution VALUES (1, 0)");
    sqlite3_stmt* step = database.prepare("UPDATE step SET position = ?, read = ?, written = ? WHERE id = 1");
    sqlite3_stmt* execution = database.prepare("UPDATE execution SET updated = ? WHERE id = 1");

    const auto begin = std::chrono::steady_clock::now();
    for (long i = 0; i < count; ++i) {
        database.run("BEGIN IMMEDIATE");
        sqlite3_bind_text(step, 1, "4711", 4, SQLITE_STATIC);
        sqlite3_bind_int64(step, 2, i);
        sqlite3_bind_int64(step, 3, i);
        database.step(step);
        sqlite3_bind_int64(execution, 1, i);
        database.step(execution);
        database.run("COMMIT");
    }
    baseline::report(count, begin);
    sqlite3_finalize(step);
    sqlite3_finalize(execution);
    return 0;
}
