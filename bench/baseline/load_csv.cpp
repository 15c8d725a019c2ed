// load_csv FILE DATABASE CHUNK: the loop with a checkpoint, written by hand: every CHUNK rows are one transaction that
// also saves where the file stands. No restart, no skips, no counters but one, no messages.
#include "csv.hpp"
#include "sqlite.hpp"

#include <charconv>
#include <cstdint>

namespace {

constexpr const char* schema =
    "CREATE TABLE item (id INTEGER PRIMARY KEY, quantity INTEGER, store INTEGER, price REAL, weight REAL, day TEXT,"
    " name TEXT, note TEXT);"
    "CREATE TABLE progress (job TEXT PRIMARY KEY, position INTEGER, written INTEGER);"
    "INSERT INTO progress VALUES ('load', 0, 0)";

void bind_integer(sqlite3_stmt* statement, int index, std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    sqlite3_bind_int64(statement, index, value);
}
void bind_double(sqlite3_stmt* statement, int index, std::string_view text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    sqlite3_bind_double(statement, index, value);
}
void bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
    sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: load_csv FILE DATABASE CHUNK\n", stderr);
        return 2;
    }
    const auto begin = std::chrono::steady_clock::now();
    const long chunk = std::strtol(argv[3], nullptr, 10);
    const baseline::MappedFile file(argv[1]);
    baseline::Database database(argv[2]);
    database.run(schema);
    sqlite3_stmt* insert = database.prepare("INSERT INTO item VALUES (?,?,?,?,?,?,?,?)");
    sqlite3_stmt* save = database.prepare("UPDATE progress SET position = ?, written = ? WHERE job = 'load'");

    baseline::CsvParser parser(file.text());
    parser.skip_record();
    std::string_view fields[8];
    long long written = 0;
    while (!parser.at_end()) {
        database.run("BEGIN IMMEDIATE");
        for (long i = 0; i < chunk && !parser.at_end(); ++i) {
            parser.record(fields);
            for (int column = 0; column < 3; ++column) bind_integer(insert, column + 1, fields[column]);
            for (int column = 3; column < 5; ++column) bind_double(insert, column + 1, fields[column]);
            for (int column = 5; column < 8; ++column) bind_text(insert, column + 1, fields[column]);
            database.step(insert);
            ++written;
        }
        sqlite3_bind_int64(save, 1, static_cast<sqlite3_int64>(parser.offset(file.text())));
        sqlite3_bind_int64(save, 2, written);
        database.step(save);
        database.run("COMMIT");
    }
    sqlite3_finalize(insert);
    sqlite3_finalize(save);
    baseline::report(written, begin);
    return 0;
}
