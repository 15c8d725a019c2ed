// Each of reader, processor and writer throws once for each of its items, and says so in the job's exit status.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <set>
#include <span>

namespace fermata::tck {
namespace {

struct BasicChunkError : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct BasicReaderError : BasicChunkError {
    using BasicChunkError::BasicChunkError;
};
struct BasicProcessorError : BasicChunkError {
    using BasicChunkError::BasicChunkError;
};
struct BasicWriterError : BasicChunkError {
    using BasicChunkError::BasicChunkError;
};

class Thrower : protected Artifact {
protected:
    Thrower(const ArtifactContext& context, std::string_view property) : Artifact(context) {
        for (const std::int64_t item : numbers(property)) pending_.insert(item);
    }
    template <class E>
    void throw_once(std::string_view name, std::int64_t item) {
        if (pending_.erase(item) == 0) return;
        const std::string message = std::string(name) + ":Item#" + std::to_string(item);
        set_job_exit_status(message);
        throw E(message);
    }

private:
    std::set<std::int64_t> pending_;
};

class BasicReader : Thrower {
public:
    using item_type = std::int64_t;
    explicit BasicReader(const ArtifactContext& context)
        : Thrower(context, "throw.reader.exception.for.these.items"), size_(number("number.of.items.to.be.read", 0)) {}
    void open(const Checkpoint& from) { next_ = from ? from.integer() : 0; }
    std::optional<std::int64_t> read() {
        if (next_ == size_) return std::nullopt;
        const std::int64_t item = next_++;
        throw_once<BasicReaderError>("BasicReaderException", item);
        return item;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(next_); }

private:
    std::int64_t size_;
    std::int64_t next_ = 0;
};

class BasicProcessor : Thrower {
public:
    using input_type = std::int64_t;
    using output_type = std::int64_t;
    explicit BasicProcessor(const ArtifactContext& context)
        : Thrower(context, "throw.processor.exception.for.these.items") {}
    std::optional<std::int64_t> process(std::int64_t& item) {
        throw_once<BasicProcessorError>("BasicProcessorException", item);
        return item;
    }
};

class BasicWriter : Thrower {
public:
    using item_type = std::int64_t;
    explicit BasicWriter(const ArtifactContext& context) : Thrower(context, "throw.writer.exception.for.these.items") {}
    void write(std::span<std::int64_t> items, Transaction&) {
        for (const std::int64_t item : items) throw_once<BasicWriterError>("BasicWriterException", item);
    }
};

}  // namespace

void add_basic_chunk(Registry& registry) {
    const std::string package = "com.ibm.jbatch.tck.artifacts.basicchunk.";
    registry.exception<BasicChunkError>(package + "BasicChunkStepException");
    registry.exception<BasicReaderError>(package + "BasicReaderException", package + "BasicChunkStepException");
    registry.exception<BasicProcessorError>(package + "BasicProcessorException", package + "BasicChunkStepException");
    registry.exception<BasicWriterError>(package + "BasicWriterException", package + "BasicChunkStepException");
    registry.reader<BasicReader>("basicReader");
    registry.processor<BasicProcessor>("basicProcessor");
    registry.writer<BasicWriter>("basicWriter");
}

}  // namespace fermata::tck
