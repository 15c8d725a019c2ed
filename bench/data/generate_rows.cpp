// generate_rows ROWS FILE: the benchmark's input, the same bytes for the same ROWS: a header and rows of an id, two
// integers, two doubles, a date, a name and a note. One note in four is quoted; of these a quarter holds a comma and a
// quarter doubled quotes. A million rows are 64 MB.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

namespace {

struct Random {
    std::uint64_t state = 42;
    std::uint64_t below(std::uint64_t bound) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return (state >> 33U) % bound;
    }
};

constexpr const char* first_names[] = {"Ada", "Grace", "Edsger", "Barbara", "Donald", "Tony", "Frances", "Niklaus"};
constexpr const char* last_names[] = {"Lovelace", "Hopper", "Dijkstra", "Liskov", "Knuth", "Hoare", "Allen", "Wirth"};

std::string note(std::uint64_t row, Random& random) {
    const auto code = random.below(1000);
    if (row % 4 != 0) return fmt::format("ref {:03}", code);
    switch (row / 4 % 4) {
        case 0:
            return fmt::format("\"north, gate {}\"", code);
        case 1:
            return fmt::format(R"("the ""{}"" lot")", code);
        default:
            return fmt::format("\"on order {}\"", code);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: generate_rows ROWS FILE\n", stderr);
        return 2;
    }
    const auto rows = std::strtoull(argv[1], nullptr, 10);
    std::FILE* file = std::fopen(argv[2], "wb");
    if (file == nullptr) {
        std::perror(argv[2]);
        return 1;
    }
    std::fputs("id,quantity,store,price,weight,day,name,note\n", file);
    Random random;
    for (std::uint64_t row = 1; row <= rows; ++row) {
        const std::string line =
            fmt::format("{},{},{},{}.{:02},{}.{:03},20{:02}-{:02}-{:02},{} {},{}\n", row, random.below(1000),
                        random.below(5000), random.below(1000), random.below(100), random.below(100),
                        random.below(1000), random.below(30), 1 + random.below(12), 1 + random.below(28),
                        first_names[random.below(8)], last_names[random.below(8)], note(row, random));
        std::fwrite(line.data(), 1, line.size(), file);
    }
    if (std::fclose(file) != 0) {
        std::perror(argv[2]);
        return 1;
    }
    return 0;
}
