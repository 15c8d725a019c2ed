// write_lines FOLDER fail|overwrite|append: writes 25 lines to FOLDER/out as a chunk step would, with a checkpoint each
// 10, goes on where FOLDER/state says, and publishes. The kill rig of output_file_test runs it.
#include <fermata/base/file.hpp>
#include <fermata/base/text.hpp>
#include <fermata/items/file/output_file.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>

namespace {

using fermata::Exists;

constexpr int last_line = 25;
constexpr int chunk = 10;

struct State {
    int written = 0;
    fermata::Checkpoint checkpoint;
};

State load(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) return {};
    const std::string text = fermata::read_file(path);
    const std::size_t line = text.find('\n');
    return {static_cast<int>(*fermata::parse_int64(text.substr(0, line))), fermata::Checkpoint(text.substr(line + 1))};
}

void save(const std::filesystem::path& path, int written, fermata::OutputFile& out) {
    fermata::write_file_durably(path, fmt::format("{}\n{}", written, out.checkpoint().bytes()));
}

void write_lines(const std::filesystem::path& folder, Exists exists) {
    fermata::OutputFile out(folder / "out", exists, "uuid", "step");
    const State state = load(folder / "state");
    out.open(state.checkpoint);
    for (int line = state.written; line < last_line; ++line) {
        if (line != state.written && line % chunk == 0) save(folder / "state", line, out);
        out.write(fmt::format("line {}\n", line));
    }
    if (state.written < last_line) save(folder / "state", last_line, out);
    out.publish();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::string exists = argv[2];
    try {
        write_lines(argv[1], exists == "fail"        ? Exists::fail
                             : exists == "overwrite" ? Exists::overwrite
                                                     : Exists::append);
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}
