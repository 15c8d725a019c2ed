// parse_csv naive|owned FILE: rows into a struct that owns its strings. `naive` is what a first draft does: getline,
// split into strings, stod. `owned` is tuned by hand: mapped file, from_chars, one struct used again.
#include "csv.hpp"
#include "item.hpp"
#include "sqlite.hpp"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

namespace {

using bench::Row;
using bench::Sum;

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') {
            if (quoted && i + 1 < line.size() && line[i + 1] == '"')
                fields.back() += line[i++];
            else
                quoted = !quoted;
        } else if (line[i] == ',' && !quoted) {
            fields.emplace_back();
        } else {
            fields.back() += line[i];
        }
    }
    return fields;
}

Sum parse_naive(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    Sum sum;
    while (std::getline(file, line)) {
        std::vector<std::string> fields = split(line);
        Row row{std::stoll(fields[0]),
                std::stoll(fields[1]),
                std::stoll(fields[2]),
                std::stod(fields[3]),
                std::stod(fields[4]),
                fields[5],
                fields[6],
                fields[7]};
        sum.add(row);
    }
    return sum;
}

template <class T>
void convert(std::string_view text, T& value) {
    std::from_chars(text.data(), text.data() + text.size(), value);
}

Sum parse_owned(const char* path) {
    const baseline::MappedFile file(path);
    baseline::CsvParser parser(file.text());
    parser.skip_record();
    std::string_view fields[8];
    Row row;
    Sum sum;
    while (!parser.at_end()) {
        parser.record(fields);
        convert(fields[0], row.id);
        convert(fields[1], row.quantity);
        convert(fields[2], row.store);
        convert(fields[3], row.price);
        convert(fields[4], row.weight);
        row.day = fields[5];
        row.name = fields[6];
        row.note = fields[7];
        sum.add(row);
    }
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: parse_csv naive|owned FILE\n", stderr);
        return 2;
    }
    const auto begin = std::chrono::steady_clock::now();
    const Sum sum = std::strcmp(argv[1], "naive") == 0 ? parse_naive(argv[2]) : parse_owned(argv[2]);
    baseline::report(sum.rows, begin);
    std::fprintf(stderr, "sum %.3f\n", sum.total);
    return 0;
}
