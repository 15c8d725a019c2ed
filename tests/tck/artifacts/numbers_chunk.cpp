// A table of numbers, of which one always fails: in reading, in processing or in writing. It is retried with a
// rollback, by the same artifacts and alone in its chunk, and skipped when it fails again.
#include "artifacts.hpp"
#include "database.hpp"

#include <span>

namespace fermata::tck {
namespace {

struct NumbersRow {
    std::int64_t item = 0;
    std::int64_t quantity = 0;
};
std::string describe(const NumbersRow& row) { return std::to_string(row.item); }

constexpr std::int64_t rows = 20;

class Items {
public:
    using item_type = NumbersRow;
    void open(const Checkpoint& from) { last_ = from ? from.integer() : 0; }
    std::optional<NumbersRow> read() {
        if (last_ == rows) return std::nullopt;
        return NumbersRow{++last_, 0};
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(last_); }

private:
    std::int64_t last_ = 0;
};

class InitialQuantity : Artifact {
public:
    using input_type = NumbersRow;
    using output_type = NumbersRow;
    explicit InitialQuantity(const ArtifactContext& context) : Artifact(context) {}
    std::optional<NumbersRow> process(NumbersRow& row) const {
        return NumbersRow{row.item, number("init.numbers.quantity", 0)};
    }
};

class SetQuantity : public BusinessWriter {
public:
    using item_type = NumbersRow;
    explicit SetQuantity(const ArtifactContext& context) : BusinessWriter(context) {}
    static void write(std::span<NumbersRow> items, Transaction& transaction) {
        for (const NumbersRow& row : items)
            transaction.connection().execute("UPDATE Numbers SET quantity = $1 WHERE item = $2",
                                             {row.quantity, row.item});
    }
};

class Failing : protected Artifact {
protected:
    Failing(const ArtifactContext& context, std::string_view property)
        : Artifact(context), fails_at_(number(property, 0)) {}
    [[nodiscard]] bool fails(std::int64_t item) const { return item == fails_at_; }
    /// The same instance meets the item twice.
    void fail() {
        if (++failures_ > 2) throw Unexpected("the item comes for the third time");
        throw MyParentError("number " + std::to_string(fails_at_) + " fails");
    }
    [[nodiscard]] int failures() const { return failures_; }

private:
    std::int64_t fails_at_;
    int failures_ = 0;
};

class NumbersReader : Failing {
public:
    using item_type = NumbersRow;
    explicit NumbersReader(const ArtifactContext& context) : Failing(context, "forced.fail.count.read") {}
    void open(const Checkpoint& from) { last_ = from ? from.integer() : 0; }
    std::optional<NumbersRow> read() {
        if (last_ == rows) return std::nullopt;
        if (fails(++last_)) fail();
        const auto found = Committed(step())->execute("SELECT quantity FROM Numbers WHERE item = $1", {last_});
        return NumbersRow{last_, found[0][0].integer()};
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(last_); }

private:
    std::int64_t last_ = 0;
};

class PlusOne : Failing {
public:
    using input_type = NumbersRow;
    using output_type = NumbersRow;
    explicit PlusOne(const ArtifactContext& context) : Failing(context, "forced.fail.count.process") {}
    std::optional<NumbersRow> process(NumbersRow& row) {
        if (fails(row.item)) fail();
        return NumbersRow{row.item, row.quantity + 1};
    }
};

/// The rows before the failing one are written already: only the rollback takes them back.
class AddQuantity : public BusinessWriter {
public:
    using item_type = NumbersRow;
    explicit AddQuantity(const ArtifactContext& context)
        : BusinessWriter(context), fails_at_(number("forced.fail.count.write", 0)) {}
    void write(std::span<NumbersRow> items, Transaction& transaction) {
        for (const NumbersRow& row : items) {
            transaction.connection().execute(
                "UPDATE Numbers SET quantity = quantity + 1 WHERE item = $1 AND quantity = $2",
                {row.item, row.quantity - 1});
            if (row.item != fails_at_) continue;
            if (++failures_ == 2) require_equal("the size of the chunk that is retried", items.size(), std::size_t{1});
            throw MyParentError("number " + std::to_string(fails_at_) + " fails");
        }
    }

private:
    std::int64_t fails_at_;
    int failures_ = 0;
};

class Teller : protected Artifact {
protected:
    using Artifact::Artifact;
    void tell(const char* what, const std::exception& error) {
        if (dynamic_cast<const MyParentError*>(&error) == nullptr) throw Unexpected(error.what());
        append_to_job_exit_status(what);
    }
};
struct RetriedRead : RetryListener, Teller {
    explicit RetriedRead(const ArtifactContext& context) : Teller(context) {}
    void on_retry_read(const std::exception& error) override { tell(" RetryRead", error); }
};
struct SkippedRead : SkipListener, Teller {
    explicit SkippedRead(const ArtifactContext& context) : Teller(context) {}
    void on_skip_read(const std::exception& error) override { tell(" SkipRead", error); }
};
struct RetriedProcess : RetryListener, Teller {
    explicit RetriedProcess(const ArtifactContext& context) : Teller(context) {}
    void on_retry_process(const ItemRef&, const std::exception& error) override { tell(" RetryProcess", error); }
};
struct SkippedProcess : SkipListener, Teller {
    explicit SkippedProcess(const ArtifactContext& context) : Teller(context) {}
    void on_skip_process(const ItemRef&, const std::exception& error) override { tell(" SkipProcess", error); }
};
struct RetriedWrite : RetryListener, Teller {
    explicit RetriedWrite(const ArtifactContext& context) : Teller(context) {}
    void on_retry_write(const ItemsRef&, const std::exception& error) override { tell(" RetryWrite", error); }
};
struct SkippedWrite : SkipListener, Teller {
    explicit SkippedWrite(const ArtifactContext& context) : Teller(context) {}
    void on_skip_write(const ItemsRef&, const std::exception& error) override { tell(" SkipWrite", error); }
};

}  // namespace

void add_numbers_chunk(Registry& registry) {
    registry.reader<Items>("retryInitReader");
    registry.processor<InitialQuantity>("retryInitProcessor");
    registry.writer<SetQuantity>("retryInitWriter");
    registry.reader<NumbersReader>("retryReader");
    registry.processor<PlusOne>("retryProcessor");
    registry.writer<AddQuantity>("retryWriter");
    registry.listener<RetriedRead>("numbersRetryReadListener");
    registry.listener<SkippedRead>("numbersSkipReadListener");
    registry.listener<RetriedProcess>("numbersRetryProcessListener");
    registry.listener<SkippedProcess>("numbersSkipProcessListener");
    registry.listener<RetriedWrite>("numbersRetryWriteListener");
    registry.listener<SkippedWrite>("numbersSkipWriteListener");
}

}  // namespace fermata::tck
