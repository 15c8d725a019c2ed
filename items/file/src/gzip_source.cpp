#include "source.hpp"

#include <zlib.h>

#include <new>

namespace fermata {
namespace {

constexpr std::string_view format = "gzip";
constexpr int gzip_only = 16 + MAX_WBITS;

/// Members one after the other, as `cat a.gz b.gz` makes them; zero bytes after the last are padding (tapes).
class GzipSource final : public CompressedSource {
public:
    explicit GzipSource(CompressedBytes bytes) : bytes_(std::move(bytes)) {
        if (::inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc();
    }
    GzipSource(const GzipSource&) = delete;
    GzipSource& operator=(const GzipSource&) = delete;
    ~GzipSource() override { ::inflateEnd(&stream_); }

    std::size_t read(char* into, std::size_t size) override {
        while (enter_member()) {
            if (!bytes_.fill()) bytes_.broken(format, "the file ends too early");
            if (const std::size_t got = inflate_some(into, size); got != 0) return got;
        }
        return 0;
    }
    [[nodiscard]] std::int64_t taken() const noexcept override { return bytes_.taken(); }

private:
    /// False when there is no further member.
    bool enter_member() {
        if (in_member_) return true;
        if (!first_) skip_padding();
        if (!bytes_.fill()) return false;
        first_ = false;
        ::inflateReset(&stream_);
        return in_member_ = true;
    }
    void skip_padding() {
        while (bytes_.fill() && bytes_.rest().front() == '\0') bytes_.take(1);
    }
    std::size_t inflate_some(char* into, std::size_t size) {
        const std::string_view rest = bytes_.rest();
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
        stream_.avail_in = static_cast<uInt>(rest.size());
        stream_.next_out = reinterpret_cast<Bytef*>(into);
        stream_.avail_out = static_cast<uInt>(size);
        const int answer = ::inflate(&stream_, Z_NO_FLUSH);
        if (answer != Z_OK && answer != Z_STREAM_END && answer != Z_BUF_ERROR)
            bytes_.broken(format, stream_.msg != nullptr ? stream_.msg : "invalid data");
        bytes_.take(rest.size() - stream_.avail_in);
        in_member_ = answer != Z_STREAM_END;
        return size - stream_.avail_out;
    }

    CompressedBytes bytes_;
    z_stream stream_{};
    bool first_ = true;
    bool in_member_ = false;
};

}  // namespace

std::unique_ptr<InputFile::Source> gzip_source(CompressedBytes bytes) {
    return std::make_unique<GzipSource>(std::move(bytes));
}

}  // namespace fermata
