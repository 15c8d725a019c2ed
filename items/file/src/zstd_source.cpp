#include "source.hpp"

#include <zstd.h>

#include <new>

namespace fermata {
namespace {

constexpr std::string_view format = "Zstandard";

/// Frames one after the other.
class ZstdSource final : public CompressedSource {
public:
    explicit ZstdSource(CompressedBytes bytes) : bytes_(std::move(bytes)), stream_(ZSTD_createDStream()) {
        if (!stream_) throw std::bad_alloc();
    }
    std::size_t read(char* into, std::size_t size) override {
        ZSTD_outBuffer out{into, size, 0};
        while (out.pos == 0) {
            // What the decoder still holds comes out without further input.
            if (!bytes_.fill() && !holds_output_) {
                if (in_frame_) bytes_.broken(format, "the file ends too early");
                return 0;
            }
            decompress_some(out);
        }
        return out.pos;
    }
    [[nodiscard]] std::int64_t taken() const noexcept override { return bytes_.taken(); }

private:
    void decompress_some(ZSTD_outBuffer& out) {
        const std::string_view rest = bytes_.rest();
        ZSTD_inBuffer in{rest.data(), rest.size(), 0};
        const std::size_t answer = ZSTD_decompressStream(stream_.get(), &out, &in);
        if (ZSTD_isError(answer) != 0) bytes_.broken(format, ZSTD_getErrorName(answer));
        bytes_.take(in.pos);
        in_frame_ = answer != 0;
        holds_output_ = in_frame_ && out.pos == out.size;
    }
    struct Free {
        void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
    };

    CompressedBytes bytes_;
    std::unique_ptr<ZSTD_DStream, Free> stream_;
    bool in_frame_ = false;
    bool holds_output_ = false;
};

}  // namespace

std::unique_ptr<InputFile::Source> zstd_source(CompressedBytes bytes) {
    return std::make_unique<ZstdSource>(std::move(bytes));
}

}  // namespace fermata
