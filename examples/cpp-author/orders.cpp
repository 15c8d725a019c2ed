#include "orders.hpp"

namespace orders {

OrderReader::OrderReader(const fermata::ArtifactContext& context)
    : count_(context.properties.require<std::int64_t>("count")) {}

std::optional<Order> OrderReader::read() {
    if (last_ == count_) return std::nullopt;
    ++last_;
    const bool forgotten = last_ % 250 == 0;
    return Order{.number = last_, .cents = forgotten ? -1 : last_ * 10};
}

Invoicing::Invoicing(const fermata::ArtifactContext& context)
    : tax_percent_(context.properties.get<std::int64_t>("tax-percent", 20)),
      least_cents_(context.properties.get<std::int64_t>("least-cents", 100)) {}

std::optional<Invoice> Invoicing::process(const Order& order) const {
    if (order.cents < 0) throw NoAmount("order " + std::to_string(order.number) + " has no amount");
    if (order.cents < least_cents_) return std::nullopt;
    return Invoice{.order = order.number, .total_cents = order.cents * (100 + tax_percent_) / 100};
}

void InvoiceWriter::write(std::span<Invoice> invoices, fermata::Transaction& transaction) {
    auto& connection = transaction.connection();
    connection.execute("CREATE TABLE IF NOT EXISTS invoice (number INTEGER PRIMARY KEY, total_cents INTEGER NOT NULL)");
    for (const auto& invoice : invoices)
        connection.execute("INSERT INTO invoice VALUES ($1, $2)", {invoice.order, invoice.total_cents});
}

std::string SumUp::process() {
    if (stopped_) return "STOPPED EARLY";
    const auto database = step_.drivers->open(step_.job->repository_url);
    const auto sum =
        database->connect(fermata::sql::OpenMode::read_only)->execute("SELECT count(*), sum(total_cents) FROM invoice");
    return std::to_string(sum[0][0].integer()) + " invoices, " + std::to_string(sum[0][1].integer()) + " cents";
}

void Counting::on_skip_process(const fermata::ItemRef&, const std::exception& error) {
    step_.log->line(std::string("skipped: ") + error.what());
}

void Counting::after_step() { step_.log->line("read " + std::to_string(step_.metrics.read)); }

}  // namespace orders
