// Chunks of a few numbers, without positions.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <span>

namespace fermata::tck {
namespace {

/// Nine items, or an exception at once.
class NineItems : Artifact {
public:
    using item_type = std::int64_t;
    explicit NineItems(const ArtifactContext& context) : Artifact(context) {}
    std::optional<std::int64_t> read() {
        if (flag("fail.immediate")) throw MyParentError("the reader fails at once");
        if (last_ == 9) return std::nullopt;
        return ++last_;
    }

private:
    std::int64_t last_ = 0;
};

/// 10, 11, 12…
class FromTen : Artifact {
public:
    using item_type = std::int64_t;
    explicit FromTen(const ArtifactContext& context) : Artifact(context), left_(number("app.arraysize", 0)) {}
    std::optional<std::int64_t> read() {
        if (flag("fail.immediate")) throw MyParentError("the reader fails at once");
        if (left_-- <= 0) return std::nullopt;
        return next_++;
    }

private:
    std::int64_t left_;
    std::int64_t next_ = 10;
};

class PassOn {
public:
    using input_type = std::int64_t;
    using output_type = std::int64_t;
    static std::optional<std::int64_t> process(std::int64_t& item) { return item; }
};

class Discard {
public:
    using item_type = std::int64_t;
    static void write(std::span<std::int64_t>, Transaction&) {}
};

}  // namespace

void add_simple_chunk(Registry& registry) {
    registry.reader<NineItems>("doSomethingItemReaderImpl");
    registry.reader<FromTen>("simpleCustomItemReader");
    registry.processor<PassOn>("doSomethingItemProcessorImpl");
    registry.writer<Discard>("doSomethingItemWriterImpl");
}

}  // namespace fermata::tck
