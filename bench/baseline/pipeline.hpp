#pragma once
// The work both sides of the in-memory comparison do on each item, so that only the machinery differs.
#include <span>

namespace bench {

struct Item {
    long long id = 0;
    long long amount = 0;
};

struct Source {
    long long count = 0;
    long long next = 0;
    bool read(Item& into) {
        if (next == count) return false;
        into = {next, next * 3};
        ++next;
        return true;
    }
};

/// Every 64th item is filtered.
inline bool transform(const Item& in, Item& into) {
    into = {in.id, in.amount + 1};
    return in.id % 64 != 0;
}

inline long long sum_of(std::span<const Item> items) {
    long long sum = 0;
    for (const Item& item : items) sum += item.amount;
    return sum;
}

}  // namespace bench
