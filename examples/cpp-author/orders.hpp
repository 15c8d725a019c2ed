#pragma once
// The artifacts of the orders job: plain classes, no base of Fermata's but the listener's.
#include <fermata/fermata.hpp>

#include <atomic>
#include <fstream>
#include <optional>
#include <span>
#include <string>

namespace orders {

struct Order {
    std::int64_t number = 0;
    std::int64_t cents = 0;
};
struct Invoice {
    std::int64_t order = 0;
    std::int64_t total_cents = 0;
};

/// Thrown for an order without an amount; job XML may skip it by its registered name.
struct NoAmount : fermata::ItemError {
    using ItemError::ItemError;
};

/// Makes orders 1 to `count`. Its checkpoint is the number of the last one read.
class OrderReader {
public:
    using item_type = Order;
    explicit OrderReader(const fermata::ArtifactContext& context);
    void open(const fermata::Checkpoint& from) { last_ = from ? from.integer() : 0; }
    std::optional<Order> read();
    [[nodiscard]] fermata::Checkpoint checkpoint() const { return fermata::Checkpoint::of(last_); }
    [[nodiscard]] double fraction() const { return static_cast<double>(last_) / static_cast<double>(count_); }

private:
    std::int64_t count_;
    std::int64_t last_ = 0;
};

/// Adds the tax; small orders are filtered out.
class Invoicing {
public:
    using input_type = Order;
    using output_type = Invoice;
    explicit Invoicing(const fermata::ArtifactContext& context);
    [[nodiscard]] std::optional<Invoice> process(const Order& order) const;

private:
    std::int64_t tax_percent_;
    std::int64_t least_cents_;
};

/// Writes invoices into the repository's own database, in the chunk's transaction: exactly once.
class InvoiceWriter {
public:
    using item_type = Invoice;
    [[nodiscard]] fermata::Sink sink() const { return {.sink_class = fermata::SinkClass::transactional}; }
    void write(std::span<Invoice> invoices, fermata::Transaction& transaction);
};

/// Its value is the step's exit status.
class SumUp {
public:
    explicit SumUp(const fermata::ArtifactContext& context) : step_(*context.step) {}
    std::string process();
    void stop() { stopped_ = true; }

private:
    fermata::StepContext& step_;
    std::atomic<bool> stopped_ = false;
};

/// Writes to the step's log, which `fermata logs` shows.
class Counting : public fermata::StepListener, public fermata::SkipListener {
public:
    explicit Counting(const fermata::ArtifactContext& context) : step_(*context.step) {}
    void on_skip_process(const fermata::ItemRef& item, const std::exception& error) override;
    void after_step() override;

private:
    fermata::StepContext& step_;
};

}  // namespace orders
