// Chunks over an array of the numbers 0, 1, 2…: where chunks end, and where a restart goes on.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <algorithm>
#include <span>

namespace fermata::tck {
namespace {

/// Fails at a record; checks at which checkpoint, and with which persistent user data, an execution opens it.
class ArrayReader : Artifact {
public:
    using item_type = std::int64_t;
    explicit ArrayReader(const ArtifactContext& context)
        : Artifact(context), size_(number("app.arraysize", 0)), fails_at_(number("readrecord.fail", -1)) {}

    void open(const Checkpoint& from) {
        const std::int64_t execution = std::max<std::int64_t>(1, number("execution.number", 1));
        if (execution == 1 && from) throw Unexpected("a first execution has no checkpoint");
        next_ = from ? from.integer() : 0;
        const std::int64_t expected = number("app.checkpoint.position", -1);
        if (execution > 1 && expected >= 0) require_equal("the reader's checkpoint", next_, expected);
        if (execution > 1 && step().persistent_user_data != std::to_string(execution - 1))
            throw Unexpected("persistent user data is " + step().persistent_user_data.value_or("null"));
        step().persistent_user_data = std::to_string(execution);
    }
    std::optional<std::int64_t> read() {
        if (next_ == size_) return std::nullopt;
        if (next_ == fails_at_) throw MyParentError("reading of record " + std::to_string(next_) + " fails on purpose");
        return next_++;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(next_); }

private:
    std::int64_t size_;
    std::int64_t fails_at_;
    std::int64_t next_ = 0;
};

class ArrayProcessor : Artifact {
public:
    using input_type = std::int64_t;
    using output_type = std::int64_t;
    explicit ArrayProcessor(const ArtifactContext& context)
        : Artifact(context), fails_at_(numbers("processrecord.fail")) {}
    std::optional<std::int64_t> process(std::int64_t& item) const {
        if (contains(fails_at_, item)) throw MyParentError("processing of record " + std::to_string(item) + " fails");
        return item;
    }

private:
    std::vector<std::int64_t> fails_at_;
};

/// Every record arrives once and in order, and chunks begin and end at the write points.
class ArrayWriter : Artifact {
public:
    using item_type = std::int64_t;
    explicit ArrayWriter(const ArtifactContext& context) : Artifact(context) {}

    void open(const Checkpoint& from) {
        next_ = from ? from.integer() : 0;
        const std::int64_t expected = number("app.checkpoint.position", -1);
        if (from && expected >= 0) require_equal("the writer's checkpoint", next_, expected);
        points_ = numbers("app.writepoints");
        if (from && find("app.next.writepoints")) points_ = numbers("app.next.writepoints");
    }
    void write(std::span<std::int64_t> items, Transaction&) {
        require_point("begins");
        for (const std::int64_t item : items) require_equal("the record written", item, next_++);
        require_point("ends");
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(next_); }

private:
    void require_point(const std::string& what) const {
        if (!points_.empty() && !contains(points_, next_))
            throw Unexpected("a chunk " + what + " at " + std::to_string(next_));
    }
    std::vector<std::int64_t> points_;
    std::int64_t next_ = 0;
};

/// Tells the size of the largest chunk.
class BufferSizeWriter : Artifact {
public:
    using item_type = std::int64_t;
    explicit BufferSizeWriter(const ArtifactContext& context) : Artifact(context) {}
    void write(std::span<std::int64_t> items, Transaction&) {
        largest_ = std::max(largest_, items.size());
        set_job_exit_status("buffer size = " + std::to_string(largest_));
    }

private:
    std::size_t largest_ = 0;
};

/// Ready at every write point, counted from the first item.
class AtWritePoints : Artifact {
public:
    explicit AtWritePoints(const ArtifactContext& context) : Artifact(context), points_(numbers("writepoints")) {}
    bool is_ready_to_checkpoint() { return contains(points_, ++items_); }

private:
    std::vector<std::int64_t> points_;
    std::int64_t items_ = 0;
};

/// Both are opened for the first time with no checkpoint, the reader before the writer.
class NullCheckpointReader : Artifact {
public:
    using item_type = std::int64_t;
    explicit NullCheckpointReader(const ArtifactContext& context) : Artifact(context) {}
    void open(const Checkpoint& from) {
        append_to_job_exit_status(from ? "...reader opened at a checkpoint" : "...reader opened at null");
    }
    std::optional<std::int64_t> read() {
        if (read_++ < 3) return read_;
        return std::nullopt;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(read_); }

private:
    std::int64_t read_ = 0;
};

class NullCheckpointWriter : Artifact {
public:
    using item_type = std::int64_t;
    explicit NullCheckpointWriter(const ArtifactContext& context) : Artifact(context) {}
    void open(const Checkpoint& from) {
        append_to_job_exit_status(from ? "...writer opened at a checkpoint" : "...writer opened at null");
    }
    static void write(std::span<std::int64_t>, Transaction&) {}
};

}  // namespace

void add_array_chunk(Registry& registry) {
    registry.reader<ArrayReader>("doSomethingArrayItemReaderImpl");
    registry.processor<ArrayProcessor>("doSomethingArrayItemProcessorImpl");
    registry.writer<ArrayWriter>("doSomethingSimpleArrayWriter");
    registry.writer<BufferSizeWriter>("defaultValueArrayWriter");
    registry.checkpoint_algorithm<AtWritePoints>("myCustomCheckpointAlgorithm");
    registry.reader<NullCheckpointReader>("nullChkPtInfoReader");
    registry.writer<NullCheckpointWriter>("nullChkPtInfoWriter");
}

}  // namespace fermata::tck
