#include "record_cuts.hpp"

#include <fermata/items/file/input_file.hpp>

#include <algorithm>

namespace fermata::partition {
namespace {

std::int64_t text_size(const std::filesystem::path& path) {
    InputFile file(path);
    file.open({});
    if (!file.compressed()) return static_cast<std::int64_t>(std::filesystem::file_size(path));
    while (!file.window().empty() || file.more()) file.consume(file.window().size(), 0);
    return file.offset();
}

}  // namespace

Cuts even_cuts(const std::filesystem::path& path, std::int64_t parts) {
    const std::int64_t size = text_size(path);
    Cuts cuts{0};
    for (std::int64_t part = 1; part < parts; ++part) {
        const std::int64_t cut = size / parts * part;
        if (cut > cuts.back()) cuts.push_back(cut);
    }
    return cuts;
}

Cuts cuts_among(const std::vector<std::int64_t>& beginnings, std::int64_t size, std::int64_t parts) {
    Cuts cuts{0};
    for (std::int64_t part = 1; part < parts; ++part) {
        const auto at = std::ranges::lower_bound(beginnings, size / parts * part);
        if (at == beginnings.end()) break;
        if (*at > cuts.back() && *at < size) cuts.push_back(*at);
    }
    return cuts;
}

}  // namespace fermata::partition
