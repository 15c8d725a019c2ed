#include "slices.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace fermata::kafka {
namespace {

constexpr std::string_view no_cluster = "-";

[[noreturn]] void refuse(const std::string& text) {
    throw Error(ErrorKind::refused,
                fmt::format("checkpoint unreadable: \"{}\" is no place in a topic", printable(text)),
                "it was saved by another artifact or another version of this one; restart with that one");
}

Slice parse_slice(const std::string& text, const std::string& all) {
    const std::vector<std::string> parts = split(text, ':');
    if (parts.size() != 4) refuse(all);
    const auto number = [&](const std::string& part) {
        const auto value = parse_int64(part);
        if (!value || *value < 0) refuse(all);
        return *value;
    };
    const std::int64_t partition = number(parts[0]);
    if (partition > std::numeric_limits<std::int32_t>::max()) refuse(all);
    Slice slice{static_cast<std::int32_t>(partition), number(parts[1]), number(parts[2]), std::nullopt};
    if (!parts[3].empty()) slice.end = number(parts[3]);
    return slice;
}

}  // namespace

Checkpoint Reading::to_checkpoint() const {
    std::string text = (cluster.empty() ? std::string(no_cluster) : cluster) + " " + topic;
    for (const Slice& slice : slices) {
        fmt::format_to(std::back_inserter(text), " {}:{}:{}:", slice.partition, slice.begin, slice.next);
        if (slice.end) fmt::format_to(std::back_inserter(text), "{}", *slice.end);
    }
    return Checkpoint(std::move(text));
}

Reading Reading::from(const Checkpoint& checkpoint) {
    const std::string& text = checkpoint.bytes();
    const std::vector<std::string> words = split(text, ' ');
    if (words.size() < 2) refuse(text);
    Reading reading{.cluster = words[0] == no_cluster ? std::string() : words[0], .topic = words[1], .slices = {}};
    for (std::size_t i = 2; i < words.size(); ++i) reading.slices.push_back(parse_slice(words[i], text));
    return reading;
}

double Reading::fraction() const noexcept {
    std::int64_t done = 0;
    std::int64_t all = 0;
    for (const Slice& slice : slices) {
        if (!slice.end) return -1;
        done += std::min(slice.next, *slice.end) - slice.begin;
        all += *slice.end - slice.begin;
    }
    return all == 0 ? 1 : static_cast<double>(done) / static_cast<double>(all);
}

}  // namespace fermata::kafka
