// What error listeners are handed: the list of a failed write, the input of a failed process.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <algorithm>
#include <span>

namespace fermata::tck {
namespace {

/// 0…19
class Twenty {
public:
    using item_type = std::int64_t;
    std::optional<std::int64_t> read() {
        if (next_ == 20) return std::nullopt;
        return next_++;
    }

private:
    std::int64_t next_ = 0;
};

class Doubled : Artifact {
public:
    using input_type = std::int64_t;
    using output_type = std::int64_t;
    explicit Doubled(const ArtifactContext& context) : Artifact(context), fails_at_(numbers("process.fail")) {}
    std::optional<std::int64_t> process(std::int64_t& item) const {
        if (contains(fails_at_, item)) throw MyParentError("processing fails");
        return item * 2;
    }

private:
    std::vector<std::int64_t> fails_at_;
};

class FailingWriter : Artifact {
public:
    using item_type = std::int64_t;
    explicit FailingWriter(const ArtifactContext& context) : Artifact(context), fails_at_(numbers("write.fail")) {}
    void write(std::span<std::int64_t> items, Transaction&) const {
        for (const std::int64_t item : items)
            if (contains(fails_at_, item)) throw MyParentError("writing fails");
    }

private:
    std::vector<std::int64_t> fails_at_;
};

class TellProcessError : public ItemProcessListener, Artifact {
public:
    explicit TellProcessError(const ArtifactContext& context) : Artifact(context) {}
    void on_process_error(const ItemRef& item, const std::exception&) override { set_job_exit_status(item.describe()); }
};

class TellWriteError : public ItemWriteListener, Artifact {
public:
    explicit TellWriteError(const ArtifactContext& context) : Artifact(context) {}
    void on_write_error(const ItemsRef& items, const std::exception&) override {
        std::string list;
        for (const std::int64_t item : items.as<std::int64_t>())
            list += (list.empty() ? "" : ", ") + std::to_string(item);
        set_job_exit_status("[" + list + "]");
    }
};

}  // namespace

void add_error_chunk(Registry& registry) {
    registry.reader<Twenty>("ListenerOnErrorArtifacts.R");
    registry.processor<Doubled>("ListenerOnErrorArtifacts.P");
    registry.writer<FailingWriter>("ListenerOnErrorArtifacts.W");
    registry.listener<TellProcessError>("ListenerOnErrorArtifacts.PL");
    registry.listener<TellWriteError>("ListenerOnErrorArtifacts.WL");
}

}  // namespace fermata::tck
