#pragma once
// A running 64-bit-lane hash of the bytes a reader has behind it. It finds changed input, not forgers: two lanes of
// multiply-rotate-multiply over blocks of 16 bytes, 0.1 ns a byte. Its whole state is its text, so that hashing goes on
// where a checkpoint left off.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fermata {

class PrefixHash {
public:
    void add(std::string_view bytes) noexcept;
    /// Two lanes and the bytes of the unfinished block, in hexadecimal.
    [[nodiscard]] std::string to_text() const;
    /// For people: 32 digits, which show nothing of the bytes.
    [[nodiscard]] std::string digest() const;
    /// Nothing if `text` is not what to_text prints.
    [[nodiscard]] static std::optional<PrefixHash> from_text(std::string_view text);
    bool operator==(const PrefixHash& other) const noexcept { return to_text() == other.to_text(); }

private:
    static constexpr std::size_t block_size = 16;
    void add_blocks(std::string_view blocks) noexcept;

    std::uint64_t first_ = 0x9e3779b97f4a7c15;
    std::uint64_t second_ = 0xc2b2ae3d27d4eb4f;
    std::array<char, block_size> pending_{};
    std::size_t pending_size_ = 0;
};

}  // namespace fermata
