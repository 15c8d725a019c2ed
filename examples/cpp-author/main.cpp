// An executable with the whole command line of Fermata, and five artifacts of its own.
#include "orders.hpp"

int main(int argc, char** argv) {
    fermata::Registry registry;
    registry.reader<orders::OrderReader>(
        "orderReader", {.about = "orders 1 to count",
                        .properties = {{.name = "count", .type = "number", .required = true, .about = "how many"}}});
    registry.processor<orders::Invoicing>("invoicing");
    registry.writer<orders::InvoiceWriter>("invoiceWriter");
    registry.batchlet<orders::SumUp>("sumUp");
    registry.listener<orders::Counting>("counting");
    registry.exception<orders::NoAmount>("orders.NoAmount");
    return fermata::main(argc, argv, registry);
}
