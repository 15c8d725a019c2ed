#include <fermata/items/file/prefix_hash.hpp>

#include <fermata/items/file/hex.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <span>

namespace fermata {
namespace {

constexpr std::size_t lane_digits = 16;

std::uint64_t word_at(const char* place) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, place, sizeof word);
    return word;
}

std::uint64_t mixed(std::uint64_t lane, std::uint64_t word) noexcept {
    return std::rotl(lane + (word * 0x9fb21c651e98df25U), 31) * 0xd6e8feb86659fd93U;
}

template <class Number>
bool parse_hex(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

/// Whole blocks.
void PrefixHash::add_blocks(std::string_view blocks) noexcept {
    std::uint64_t first = first_;
    std::uint64_t second = second_;
    for (; !blocks.empty(); blocks.remove_prefix(block_size)) {
        first = mixed(first, word_at(blocks.data()));
        second = mixed(second, word_at(blocks.data() + sizeof(std::uint64_t)));
    }
    first_ = first;
    second_ = second;
}

void PrefixHash::add(std::string_view bytes) noexcept {
    if (pending_size_ != 0) {
        const std::size_t taken = std::min(bytes.size(), block_size - pending_size_);
        std::memcpy(pending_.data() + pending_size_, bytes.data(), taken);
        pending_size_ += taken;
        bytes.remove_prefix(taken);
        if (pending_size_ < block_size) return;
        add_blocks({pending_.data(), block_size});
    }
    pending_size_ = bytes.size() % block_size;
    add_blocks(bytes.substr(0, bytes.size() - pending_size_));
    if (pending_size_ != 0) std::memcpy(pending_.data(), bytes.data() + bytes.size() - pending_size_, pending_size_);
}

std::string PrefixHash::to_text() const {
    return fmt::format("{:016x}{:016x}{}", first_, second_,
                       to_hex(std::as_bytes(std::span(pending_).first(pending_size_))));
}

std::string PrefixHash::digest() const {
    PrefixHash whole = *this;
    constexpr std::array<char, block_size> padding{};
    whole.add({padding.data(), block_size - pending_size_});
    return whole.to_text();
}

std::optional<PrefixHash> PrefixHash::from_text(std::string_view text) {
    PrefixHash hash;
    if (text.size() < 2 * lane_digits || text.size() % 2 != 0 || text.size() >= 2 * lane_digits + 2 * block_size)
        return std::nullopt;
    if (!parse_hex(text.substr(0, lane_digits), hash.first_)) return std::nullopt;
    if (!parse_hex(text.substr(lane_digits, lane_digits), hash.second_)) return std::nullopt;
    for (text.remove_prefix(2 * lane_digits); !text.empty(); text.remove_prefix(2)) {
        unsigned char byte = 0;
        if (!parse_hex(text.substr(0, 2), byte)) return std::nullopt;
        hash.pending_[hash.pending_size_++] = static_cast<char>(byte);
    }
    return hash;
}

}  // namespace fermata
