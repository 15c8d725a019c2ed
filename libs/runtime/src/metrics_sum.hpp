#pragma once
// Counting partitions together.
#include <fermata/model/records.hpp>

namespace fermata {

template <class Combine>
[[nodiscard]] Metrics combined(const Metrics& one, const Metrics& other, Combine combine) {
    Metrics result;
    for (const auto count : {&Metrics::read, &Metrics::written, &Metrics::filtered, &Metrics::read_skips,
                             &Metrics::process_skips, &Metrics::write_skips, &Metrics::commits, &Metrics::rollbacks})
        result.*count = combine(one.*count, other.*count);
    return result;
}
[[nodiscard]] inline Metrics sum(const Metrics& one, const Metrics& other) {
    return combined(one, other, [](std::int64_t a, std::int64_t b) { return a + b; });
}
[[nodiscard]] inline Metrics difference(const Metrics& one, const Metrics& other) {
    return combined(one, other, [](std::int64_t a, std::int64_t b) { return a - b; });
}

}  // namespace fermata
