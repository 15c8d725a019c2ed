// Reader, processor and writer that throw at given places, once each: the place is behind them when they are called
// again. What failed stands in the message, so that listeners can compare it with what they are handed.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <span>

namespace fermata::tck {
namespace {

class SkipReader : protected Artifact {
public:
    using item_type = std::int64_t;
    explicit SkipReader(const ArtifactContext& context)
        : Artifact(context), size_(number("app.arraysize", 0)), fails_at_(numbers("readrecord.fail")) {}
    virtual ~SkipReader() = default;
    void open(const Checkpoint& from) { next_ = from ? from.integer() : 0; }
    std::optional<std::int64_t> read() {
        if (next_ >= size_) return std::nullopt;
        const std::int64_t item = next_++;
        if (contains(fails_at_, item)) fail(fmt::format("reading of item {} fails", item), ++failures_);
        return item;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(next_); }

protected:
    /// The class that is listed, and one below it, in turn.
    virtual void fail(const std::string& message, int number) {
        if (number % 2 == 0) throw MyChildError(message);
        throw MyParentError(message);
    }

private:
    std::int64_t size_;
    std::vector<std::int64_t> fails_at_;
    std::int64_t next_ = 0;
    int failures_ = 0;
};

/// First the parent, then the grandchild, then the child between them.
class SkipReaderMultiple final : public SkipReader {
public:
    using SkipReader::SkipReader;

private:
    void fail(const std::string& message, int number) override {
        if (number == 1) throw MyParentError(message);
        if (number == 2) throw MyGrandchildError(message);
        throw MyChildError(message);
    }
};

class SkipProcessor : Artifact {
public:
    using input_type = std::int64_t;
    using output_type = std::int64_t;
    explicit SkipProcessor(const ArtifactContext& context) : Artifact(context) {
        for (const std::int64_t item : numbers("processrecord.fail")) pending_.insert(item);
    }
    std::optional<std::int64_t> process(std::int64_t& item) {
        if (pending_.erase(item) > 0) throw MyParentError(fmt::format("processing of {} fails", item));
        return item;
    }

private:
    std::set<std::int64_t> pending_;
};

/// Fails at calls, counted from 0.
class SkipWriter : Artifact {
public:
    using item_type = std::int64_t;
    explicit SkipWriter(const ArtifactContext& context) : Artifact(context), fails_at_(numbers("writerecord.fail")) {}
    void write(std::span<std::int64_t> items, Transaction&) {
        if (contains(fails_at_, calls_++))
            throw MyParentError(fmt::format("writing of [{}] fails", fmt::join(items, ", ")));
    }

private:
    std::vector<std::int64_t> fails_at_;
    std::int64_t calls_ = 0;
};

}  // namespace

void add_skip_chunk(Registry& registry) {
    registry.reader<SkipReader>("skipReader");
    registry.reader<SkipReaderMultiple>("skipReaderMultipleExceptions");
    registry.processor<SkipProcessor>("skipProcessor");
    registry.writer<SkipWriter>("skipWriter");
}

}  // namespace fermata::tck
