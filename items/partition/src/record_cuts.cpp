#include "record_cuts.hpp"

#include <fermata/items/file/input_file.hpp>

#include <algorithm>

namespace fermata::partition {
namespace {

/// Beginnings of records are noted so far apart: a list of them stays short, whatever the file.
constexpr std::int64_t stride = 4096;

struct Beginnings {
    std::vector<std::int64_t> offsets;
    std::int64_t size = 0;  ///< of the text
};

Beginnings find_beginnings(InputFile& file, char quote) {
    Beginnings found;
    bool inside = false;
    std::int64_t next = stride;
    while (!file.window().empty() || file.more()) {
        const std::string_view window = file.window();
        for (std::size_t i = 0; i < window.size(); ++i) {
            if (window[i] == quote) inside = !inside;
            if (window[i] != '\n' || inside) continue;
            const std::int64_t behind = file.offset() + static_cast<std::int64_t>(i) + 1;
            if (behind < next) continue;
            found.offsets.push_back(behind);
            next = behind + stride;
        }
        file.consume(window.size(), 0);
    }
    found.size = file.offset();
    return found;
}

}  // namespace

std::vector<std::int64_t> record_cuts(const std::filesystem::path& path, std::int64_t parts, char quote) {
    InputFile file(path);
    file.open({});
    std::vector<std::int64_t> cuts{0};
    Beginnings beginnings;
    if (quote != 0)
        beginnings = find_beginnings(file, quote);
    else
        beginnings.size = static_cast<std::int64_t>(std::filesystem::file_size(path));
    for (std::int64_t part = 1; part < parts; ++part) {
        std::int64_t cut = beginnings.size / parts * part;
        if (quote != 0) {
            const auto at = std::ranges::lower_bound(beginnings.offsets, cut);
            if (at == beginnings.offsets.end()) break;
            cut = *at;
        }
        if (cut > cuts.back() && cut < beginnings.size) cuts.push_back(cut);
    }
    return cuts;
}

}  // namespace fermata::partition
