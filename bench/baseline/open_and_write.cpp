// open_and_write DATABASE: the least a program can do that records a run: opens SQLite and writes one row.
#include "sqlite.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: open_and_write DATABASE\n", stderr);
        return 2;
    }
    baseline::Database database(argv[1]);
    database.run("CREATE TABLE IF NOT EXISTS run (at INTEGER)");
    database.run("INSERT INTO run VALUES (1)");
    return 0;
}
