#pragma once
// 64 bytes compared at once: a bit a byte. As long as a common record, so that how often the loop over the bits goes
// round is foreseeable; with 16 bytes the processor guesses wrong once a block.
#include <cstddef>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#else
#include <algorithm>
#endif

namespace fermata::csv {

constexpr std::size_t block_size = 64;

#ifdef __SSE2__
class ByteBlock {
public:
    explicit ByteBlock(const char* place) : parts_{load(place), load(place + 16), load(place + 32), load(place + 48)} {}
    [[nodiscard]] std::uint64_t equal(char wanted) const {
        const __m128i all = _mm_set1_epi8(wanted);
        const auto found = [&](__m128i part) { return mask(_mm_cmpeq_epi8(part, all)); };
        return found(parts_[0]) | found(parts_[1]) << 16 | found(parts_[2]) << 32 | found(parts_[3]) << 48;
    }
    [[nodiscard]] bool has_high() const {
        return mask(_mm_or_si128(_mm_or_si128(parts_[0], parts_[1]), _mm_or_si128(parts_[2], parts_[3]))) != 0;
    }
    [[nodiscard]] bool has_nul() const {
        const __m128i least = _mm_min_epu8(_mm_min_epu8(parts_[0], parts_[1]), _mm_min_epu8(parts_[2], parts_[3]));
        return mask(_mm_cmpeq_epi8(least, _mm_setzero_si128())) != 0;
    }

private:
    static __m128i load(const char* place) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(place)); }
    static std::uint64_t mask(__m128i bytes) { return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes)); }
    __m128i parts_[4]{};
};
#else
class ByteBlock {
public:
    explicit ByteBlock(const char* place) : place_(place) {}
    [[nodiscard]] std::uint64_t equal(char wanted) const {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < block_size; ++i) bits |= std::uint64_t{place_[i] == wanted} << i;
        return bits;
    }
    [[nodiscard]] bool has_high() const {
        return std::any_of(place_, place_ + block_size, [](unsigned char byte) { return byte >= 0x80; });
    }
    [[nodiscard]] bool has_nul() const {
        return std::any_of(place_, place_ + block_size, [](char byte) { return byte == '\0'; });
    }

private:
    const char* place_;
};
#endif

}  // namespace fermata::csv
