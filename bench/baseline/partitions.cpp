// partitions DATABASE COUNT: what COUNT pieces of no work cost by hand when each is entered and ended durably: their
// rows inserted in one transaction, then two transactions of two updates by primary key each.
#include "sqlite.hpp"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: partitions DATABASE COUNT\n", stderr);
        return 2;
    }
    const long count = std::strtol(argv[2], nullptr, 10);
    baseline::Database database(argv[1]);
    database.run(
        "CREATE TABLE piece (number INTEGER PRIMARY KEY, properties TEXT, status TEXT, started INTEGER, ended INTEGER, "
        "exit_status TEXT, read INTEGER, written INTEGER);"
        "CREATE TABLE progress (number INTEGER PRIMARY KEY, status TEXT, epoch INTEGER, position TEXT, read INTEGER, "
        "written INTEGER, updated INTEGER)");
    sqlite3_stmt* plan[] = {database.prepare("INSERT INTO piece VALUES (?, '{}', 'STARTING', NULL, NULL, NULL, 0, 0)"),
                            database.prepare("INSERT INTO progress VALUES (?, 'STARTING', 1, NULL, 0, 0, 0)")};
    sqlite3_stmt* enter[] = {
        database.prepare("UPDATE piece SET status = 'STARTED', started = 1 WHERE number = ? AND ended IS NULL"),
        database.prepare("UPDATE progress SET status = 'STARTED', epoch = epoch + 1, updated = 1 WHERE number = ?")};
    sqlite3_stmt* end[] = {
        database.prepare("UPDATE piece SET status = 'COMPLETED', ended = 2, exit_status = 'COMPLETED', read = 0, "
                         "written = 0 WHERE number = ? AND ended IS NULL"),
        database.prepare("UPDATE progress SET status = 'COMPLETED', position = NULL, updated = 2 WHERE number = ?")};
    const auto do_both = [&](auto& statements, long number) {
        for (sqlite3_stmt* statement : statements) {
            sqlite3_bind_int64(statement, 1, number);
            database.step(statement);
        }
    };
    const auto commit_both = [&](auto& statements, long number) {
        database.run("BEGIN IMMEDIATE");
        do_both(statements, number);
        database.run("COMMIT");
    };

    const auto begin = std::chrono::steady_clock::now();
    database.run("BEGIN IMMEDIATE");
    for (long i = 0; i < count; ++i) do_both(plan, i);
    database.run("COMMIT");
    for (long i = 0; i < count; ++i) {
        commit_both(enter, i);
        commit_both(end, i);
    }
    baseline::report(count, begin);
    for (auto& statements : {plan, enter, end})
        for (int i = 0; i < 2; ++i) sqlite3_finalize(statements[i]);
    return 0;
}
