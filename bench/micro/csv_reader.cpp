// csv_reader FILE: the stock csvReader into structs that own their strings, in the order of a chunk step whose
// processor makes the struct: read one, convert its fields by their columns' places, read the next; 1000 records a
// chunk.
#include "../baseline/item.hpp"

#include <fermata/batch/registry.hpp>
#include <fermata/items/csv.hpp>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <span>
#include <stdexcept>

namespace {

template <class T>
void convert(const fermata::Value& value, T& into) {
    const std::string_view text = value.text();
    if (std::from_chars(text.data(), text.data() + text.size(), into).ec != std::errc{})
        throw std::runtime_error("not a number: " + std::string(text));
}

void take(std::span<const fermata::Value> cells, bench::Row& row) {
    convert(cells[0], row.id);
    convert(cells[1], row.quantity);
    convert(cells[2], row.store);
    convert(cells[3], row.price);
    convert(cells[4], row.weight);
    row.day = cells[5].text();
    row.name = cells[6].text();
    row.note = cells[7].text();
}

bench::Sum read_all(fermata::AnyReader& reader) {
    fermata::TypedItemBuffer<fermata::Record> chunk;
    bench::Row row;
    bench::Sum sum;
    reader.open({});
    bool more = true;
    while (more) {
        chunk.clear();
        while (chunk.size() < 1000 && (more = reader.read(chunk.slot()))) {
            take(static_cast<const fermata::Record*>(chunk.slot())->values(), row);
            sum.add(row);
            chunk.keep();
        }
    }
    reader.close();
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: csv_reader FILE\n", stderr);
        return 2;
    }
    fermata::Registry registry;
    fermata::add_csv_artifacts(registry);
    const fermata::Properties properties("csvReader", "bench", {{"resource", fermata::Text(argv[1]), {}}});
    fermata::JobContext job;
    fermata::StepContext step;
    step.job = &job;
    job.working_directory = std::filesystem::current_path();

    const auto begin = std::chrono::steady_clock::now();
    const auto reader =
        registry.find(fermata::ArtifactKind::reader, "csvReader")->make_reader({properties, &step, job});
    const bench::Sum sum = read_all(*reader);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%lld %.6f\n", sum.rows, seconds.count());
    std::fprintf(stderr, "sum %.3f\n", sum.total);
    return 0;
}
