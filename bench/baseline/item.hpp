#pragma once
// The typed item both sides of the CSV comparison fill.
#include <cstdint>
#include <string>

namespace bench {

struct Row {
    std::int64_t id = 0;
    std::int64_t quantity = 0;
    std::int64_t store = 0;
    double price = 0;
    double weight = 0;
    std::string day;
    std::string name;
    std::string note;
};

struct Sum {  // keeps the optimiser honest
    long long rows = 0;
    double total = 0;
    void add(const Row& row) {
        ++rows;
        total += static_cast<double>(row.id + row.quantity + row.store) + row.price + row.weight +
                 static_cast<double>(row.day.size() + row.name.size() + row.note.size());
    }
};

}  // namespace bench
