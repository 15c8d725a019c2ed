// Orders are taken from an inventory, one unit an item. Inventory and orders always add up, and chunks may last.
#include "artifacts.hpp"
#include "database.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <chrono>
#include <span>
#include <thread>

namespace fermata::tck {
namespace {

class Once {
public:
    using item_type = std::int64_t;
    std::optional<std::int64_t> read() {
        if (std::exchange(done_, true)) return std::nullopt;
        return 0;
    }

private:
    bool done_ = false;
};

class InitialQuantity : Artifact {
public:
    using input_type = std::int64_t;
    using output_type = std::int64_t;
    explicit InitialQuantity(const ArtifactContext& context) : Artifact(context) {}
    std::optional<std::int64_t> process(std::int64_t&) const { return number("init.inventory.quantity", 100); }
};

class InitTables : public BusinessWriter {
public:
    using item_type = std::int64_t;
    explicit InitTables(const ArtifactContext& context) : BusinessWriter(context) {}
    static void write(std::span<std::int64_t> quantity, Transaction& transaction) {
        transaction.connection().execute("DELETE FROM Orders");
        transaction.connection().execute("UPDATE Inventory SET quantity = $1 WHERE itemID = 1", {quantity.front()});
    }
};

/// One item for each unit that was there at the last commit.
class Units : Artifact {
public:
    using item_type = std::int64_t;
    explicit Units(const ArtifactContext& context) : Artifact(context) {}
    void open(const Checkpoint&) {
        left_ = Committed(step()).number("SELECT quantity FROM Inventory WHERE itemID = 1");
    }
    std::optional<std::int64_t> read() {
        if (left_ == 0) return std::nullopt;
        --left_;
        return 1;
    }

private:
    std::int64_t left_ = 0;
};

class ToOrder {
public:
    using input_type = std::int64_t;
    using output_type = std::int64_t;
    static std::optional<std::int64_t> process(std::int64_t& item) { return item; }
};

/// Takes `dummy.delay.seconds` over the unit number `forced.fail.count`, in the middle of its transaction.
class TakeOrders : public BusinessWriter {
public:
    using item_type = std::int64_t;
    explicit TakeOrders(const ArtifactContext& context)
        : BusinessWriter(context),
          slow_at_(number("forced.fail.count", 0)),
          delay_(parse_double(text("dummy.delay.seconds", "0")).value_or(0)) {}
    void write(std::span<std::int64_t> items, Transaction& transaction) {
        for (const std::int64_t item : items) {
            transaction.connection().execute("UPDATE Inventory SET quantity = quantity - 1 WHERE itemID = $1", {item});
            if (++written_ == slow_at_) std::this_thread::sleep_for(delay_);
            transaction.connection().execute("INSERT INTO Orders(itemID, quantity) VALUES ($1, 1)", {item});
        }
    }

private:
    std::int64_t slow_at_;
    std::chrono::duration<double> delay_;
    std::int64_t written_ = 0;
};

/// What left the inventory was ordered, nothing else.
class AddsUp : public StepListener, Artifact {
public:
    explicit AddsUp(const ArtifactContext& context) : Artifact(context) {}
    void before_step() override { before_ = Committed(step()).number("SELECT quantity FROM Inventory"); }
    void after_step() override {
        Committed database(step());
        const std::int64_t left = database.number("SELECT quantity FROM Inventory");
        const std::int64_t ordered = database.number("SELECT count(*) FROM Orders");
        require_equal("inventory and orders", left + ordered, before_);
        set_job_exit_status(fmt::format("Inventory={} Orders={}", left, ordered));
    }

private:
    std::int64_t before_ = 0;
};

class EveryCommitInterval : protected Artifact {
public:
    explicit EveryCommitInterval(const ArtifactContext& context)
        : Artifact(context), interval_(number("commitInterval", 1)) {}
    void begin_checkpoint() { items_ = 0; }
    bool is_ready_to_checkpoint() { return ++items_ >= interval_; }

private:
    std::int64_t interval_;
    std::int64_t items_ = 0;
};
class WithTimeout : public EveryCommitInterval {
public:
    using EveryCommitInterval::EveryCommitInterval;
    static std::chrono::seconds checkpoint_timeout() { return std::chrono::seconds(150); }
};

}  // namespace

void add_inventory_chunk(Registry& registry) {
    registry.reader<Once>("inventoryInitReader");
    registry.processor<InitialQuantity>("inventoryInitProcessor");
    registry.writer<InitTables>("inventoryInitWriter");
    registry.reader<Units>("inventoryReader");
    registry.processor<ToOrder>("inventoryProcessor");
    registry.writer<TakeOrders>("inventoryWriter");
    registry.listener<AddsUp>("inventoryStepListener");
    registry.checkpoint_algorithm<EveryCommitInterval>("inventoryCheckpointAlgorithmNoOverride");
    registry.checkpoint_algorithm<WithTimeout>("inventoryCheckpointAlgorithmOverride150");
}

}  // namespace fermata::tck
