#include <fermata/base/id.hpp>

#include <fmt/format.h>
#include <stdlib.h>

#include <array>
#include <cstdint>

namespace fermata {

// Not std::random_device, which asks the processor what it can each time: in a virtual machine that takes longer than
// writing the row the id is for.
std::string new_uuid() {
    std::array<std::uint64_t, 2> random{};
    ::arc4random_buf(random.data(), sizeof random);
    constexpr std::uint64_t version = 0x4000;
    constexpr std::uint64_t variant = 0x8000'0000'0000'0000;
    const std::uint64_t high = (random[0] & ~std::uint64_t{0xF000}) | version;
    const std::uint64_t low = (random[1] & ~(std::uint64_t{3} << 62U)) | variant;
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFF, high & 0xFFFF,
                       low >> 48U, low & 0xFFFF'FFFF'FFFF);
}

}  // namespace fermata
