// When a time limit ends a chunk. Nothing is measured against a clock's tolerance: the chunk ends with the first item
// that is done after the limit, which can be told from the times of the items alone.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <chrono>
#include <span>
#include <thread>

namespace fermata::tck {
namespace {

using Steady = std::chrono::steady_clock;

/// `app.sleeptime` milliseconds an item; its open() leaves persistent user data, which a restart finds.
class SlowReader : Artifact {
public:
    using item_type = std::int64_t;
    explicit SlowReader(const ArtifactContext& context)
        : Artifact(context),
          size_(number("app.arraysize", 0)),
          fails_at_(number("readrecord.fail", -1)),
          pace_(number("app.sleeptime", 0)) {}

    void open(const Checkpoint& from) {
        if (from) throw Unexpected("there is a checkpoint, but no chunk was committed");
        const std::int64_t execution = number("execution.number", 1);
        if (execution > 1 && step().persistent_user_data != "opened " + std::to_string(execution - 1))
            throw Unexpected("persistent user data is " + step().persistent_user_data.value_or("null"));
        step().persistent_user_data = "opened " + std::to_string(execution);
    }
    std::optional<std::int64_t> read() {
        if (next_ == size_) return std::nullopt;
        std::this_thread::sleep_for(pace_);
        if (next_ == fails_at_) throw MyParentError("reading of record " + std::to_string(next_) + " fails");
        return next_++;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(next_); }

private:
    std::int64_t size_;
    std::int64_t fails_at_;
    std::chrono::milliseconds pace_;
    std::int64_t next_ = 0;
};

class InOrder : Artifact {
public:
    using item_type = std::int64_t;
    explicit InOrder(const ArtifactContext& context) : Artifact(context) {}
    void write(std::span<std::int64_t> items, Transaction&) {
        for (const std::int64_t item : items) require_equal("the record written", item, next_++);
    }

private:
    std::int64_t next_ = 0;
};

/// "TRUE: n" if the first chunk ended after n seconds, which is its time limit; n is 0 if one chunk took everything.
class TimeOfFirstChunk : public StepListener, public ChunkListener, public ItemReadListener, Artifact {
public:
    explicit TimeOfFirstChunk(const ArtifactContext& context) : Artifact(context), limit_(number("timeinterval", 0)) {}
    void before_step() override { before_first_ = Steady::now(); }
    void before_chunk() override {
        if (chunks_++ == 0)
            in_first_ = Steady::now();
        else if (chunks_ == 2)
            judge();
    }
    void after_read(const ItemRef* item) override {
        if (chunks_ > 1 || item == nullptr) return;
        last_but_one_ = last_;
        last_ = Steady::now();
    }
    void after_step() override {
        const auto reached = in_time_ ? limit_.count() : 0;
        set_job_exit_status((reached == limit_.count() ? "TRUE: " : "FALSE: ") + std::to_string(reached));
    }

private:
    /// The limit is asked after each item: it had not passed before the last one, and had after it.
    void judge() { in_time_ = Steady::now() - before_first_ >= limit_ && last_but_one_ - in_first_ < limit_; }

    std::chrono::seconds limit_;
    int chunks_ = 0;
    bool in_time_ = false;
    Steady::time_point before_first_;
    Steady::time_point in_first_;
    Steady::time_point last_;
    Steady::time_point last_but_one_;
};

}  // namespace

void add_time_chunk(Registry& registry) {
    registry.reader<SlowReader>("doSomethingSimpleTimeArrayReader");
    registry.writer<InOrder>("doSomethingSimpleTimeArrayWriter");
    registry.listener<TimeOfFirstChunk>("myTimeCheckpointListener");
}

}  // namespace fermata::tck
