#include <fermata/base/id.hpp>

#include <fmt/format.h>

#include <random>

namespace fermata {

std::string new_uuid() {
    std::random_device random;
    const auto word = [&] { return std::uint64_t{random()} << 32U | random(); };
    constexpr std::uint64_t version = 0x4000;
    constexpr std::uint64_t variant = 0x8000'0000'0000'0000;
    const std::uint64_t high = (word() & ~std::uint64_t{0xF000}) | version;
    const std::uint64_t low = (word() & ~(std::uint64_t{3} << 62U)) | variant;
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFF, high & 0xFFFF,
                       low >> 48U, low & 0xFFFF'FFFF'FFFF);
}

}  // namespace fermata
