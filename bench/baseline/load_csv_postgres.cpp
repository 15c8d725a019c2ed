// load_csv_postgres arrays|copy FILE URL CHUNK: the loop with a checkpoint, written by hand: every CHUNK rows are one
// transaction and one round trip that also saves where the file stands. By binary arrays and unnest, or by binary COPY.
// No restart, no skips, no counters but one, no messages. The table item is there and empty.
#include "csv.hpp"
#include "postgres.hpp"

#include <charconv>
#include <cstring>

namespace {

constexpr const char* schema =
    "DROP TABLE IF EXISTS progress; CREATE TABLE progress (job text PRIMARY KEY, position bigint, written bigint);"
    "INSERT INTO progress VALUES ('load', 0, 0)";
constexpr const char* insert =
    "INSERT INTO item SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::float8[], $5::float8[],"
    " $6::text[], $7::text[], $8::text[])";
constexpr const char* save = "UPDATE progress SET position = $1::bigint, written = $2::bigint WHERE job = 'load'";

std::int64_t integer(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}
double real(std::string_view text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}
void append(std::string& to, int column, std::string_view field) {
    if (column < 3)
        baseline::append_int8(to, integer(field));
    else if (column < 5)
        baseline::append_float8(to, real(field));
    else
        baseline::append_text(to, field);
}

/// One chunk as eight one-dimensional arrays.
class Arrays {
public:
    explicit Arrays(baseline::Server& server) : server_(server) {
        server_.prepare("insert", insert);
        server_.prepare("save", save);
        server_.enter_pipeline();
    }
    void begin() {
        for (int column = 0; column < 8; ++column) {
            std::string& array = arrays_[column];
            array.clear();
            baseline::append_number(array, std::uint32_t{1});  // dimensions
            baseline::append_number(array, std::uint32_t{0});  // no nulls
            const int oid = column < 3 ? baseline::int8_oid : column < 5 ? baseline::float8_oid : baseline::text_oid;
            baseline::append_number(array, static_cast<std::uint32_t>(oid));
            baseline::append_number(array, std::uint32_t{0});  // elements, set at the end
            baseline::append_number(array, std::uint32_t{1});  // the first one's number
        }
    }
    void add(const std::string_view (&fields)[8]) {
        for (int column = 0; column < 8; ++column) append(arrays_[column], column, fields[column]);
    }
    void commit(std::uint32_t rows, std::size_t position, long long written) {
        const std::uint32_t count = htonl(rows);
        for (std::string& array : arrays_) std::memcpy(array.data() + 12, &count, sizeof count);
        std::string place;
        std::string total;
        baseline::append_number(place, std::uint64_t{position});
        baseline::append_number(total, static_cast<std::uint64_t>(written));
        server_.send("insert", {{arrays_[0]},
                                {arrays_[1]},
                                {arrays_[2]},
                                {arrays_[3]},
                                {arrays_[4]},
                                {arrays_[5]},
                                {arrays_[6]},
                                {arrays_[7]}});
        server_.send("save", {{place}, {total}});
        server_.commit_pipeline(2);
    }

private:
    baseline::Server& server_;
    std::string arrays_[8];
};

/// One chunk as the stream of a binary COPY.
class Copy {
public:
    explicit Copy(baseline::Server& server) : server_(server) {}
    void begin() {
        stream_.assign("PGCOPY\n\377\r\n\0", 11);
        baseline::append_number(stream_, std::uint64_t{0});  // flags, no extension
    }
    void add(const std::string_view (&fields)[8]) {
        stream_.append("\0\10", 2);
        for (int column = 0; column < 8; ++column) append(stream_, column, fields[column]);
    }
    void commit(std::uint32_t, std::size_t position, long long written) {
        stream_.append("\377\377", 2);
        server_.copy("COPY item FROM STDIN (FORMAT binary); UPDATE progress SET position = " +
                         std::to_string(position) + ", written = " + std::to_string(written) + " WHERE job = 'load'",
                     stream_);
    }

private:
    baseline::Server& server_;
    std::string stream_;
};

template <class Way>
void load(const char* path, const char* url, long chunk) {
    const auto begin = std::chrono::steady_clock::now();
    const baseline::MappedFile file(path);
    baseline::Server server(url);
    server.run(schema);
    Way way(server);
    baseline::CsvParser parser(file.text());
    parser.skip_record();
    std::string_view fields[8];
    long long written = 0;
    while (!parser.at_end()) {
        way.begin();
        std::uint32_t rows = 0;
        for (; rows < chunk && !parser.at_end(); ++rows) {
            parser.record(fields);
            way.add(fields);
        }
        written += rows;
        way.commit(rows, parser.offset(file.text()), written);
    }
    baseline::report(written, begin);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: load_csv_postgres arrays|copy FILE URL CHUNK\n", stderr);
        return 2;
    }
    const long chunk = std::strtol(argv[4], nullptr, 10);
    if (std::strcmp(argv[1], "copy") == 0)
        load<Copy>(argv[2], argv[3], chunk);
    else
        load<Arrays>(argv[2], argv[3], chunk);
    return 0;
}
