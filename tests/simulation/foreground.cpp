#include "process.hpp"

namespace fermata::simulation {

Foreground::Foreground(World& world, Ledger& ledger, Host& host, std::string name, Begin begin)
    : Process(world, ledger, host, std::move(name)), begin_(std::move(begin)) {}

void Foreground::look_around() {
    if (has_begun_ && runs_.empty()) is_lost_ = true;  // done
    if (has_begun_) return;
    has_begun_ = true;
    if (auto start = begin_(store(), worker_)) {
        start->helpers = world_.chance.between(1, 2);
        enter(std::move(*start));
    }
}

}  // namespace fermata::simulation
