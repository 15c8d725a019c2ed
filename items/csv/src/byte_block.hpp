#pragma once
// 16 bytes compared at once: a bit a byte.
#include <cstddef>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#else
#include <cstring>
#endif

namespace fermata::csv {

constexpr std::size_t block_size = 16;

#ifdef __SSE2__
class ByteBlock {
public:
    explicit ByteBlock(const char* place) : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(place))) {}
    [[nodiscard]] std::uint32_t any_of(char a, char b, char c) const {
        return mask(_mm_or_si128(_mm_or_si128(equal(a), equal(b)), equal(c)));
    }
    [[nodiscard]] bool has(char c) const { return mask(equal(c)) != 0; }
    [[nodiscard]] bool has_high() const { return mask(bytes_) != 0; }

private:
    [[nodiscard]] __m128i equal(char c) const { return _mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c)); }
    static std::uint32_t mask(__m128i bytes) { return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes)); }
    __m128i bytes_;
};
#else
class ByteBlock {
public:
    explicit ByteBlock(const char* place) { std::memcpy(bytes_, place, block_size); }
    [[nodiscard]] std::uint32_t any_of(char a, char b, char c) const {
        return mask([=](char byte) { return byte == a || byte == b || byte == c; });
    }
    [[nodiscard]] bool has(char c) const {
        return mask([=](char byte) { return byte == c; }) != 0;
    }
    [[nodiscard]] bool has_high() const {
        return mask([](char byte) { return (static_cast<unsigned char>(byte) & 0x80U) != 0; }) != 0;
    }

private:
    template <class Test>
    [[nodiscard]] std::uint32_t mask(Test test) const {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < block_size; ++i) bits |= static_cast<std::uint32_t>(test(bytes_[i])) << i;
        return bits;
    }
    char bytes_[block_size];
};
#endif

}  // namespace fermata::csv
