#include "lines.hpp"

#include <algorithm>

namespace fermata::jobxml {

Lines::Lines(std::string_view text) : begins_{0} {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool lone_cr = text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n');
        if (text[i] == '\n' || lone_cr) begins_.push_back(i + 1);
    }
}

Position Lines::at(std::size_t offset) const {
    const auto next = std::ranges::upper_bound(begins_, offset);
    const auto line = next - begins_.begin();
    return {static_cast<int>(line), static_cast<int>(offset - *(next - 1)) + 1};
}

}  // namespace fermata::jobxml
