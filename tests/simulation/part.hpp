#pragma once
// One partition that was claimed, as its owner drives it, whoever owns its execution meanwhile.
#include "driver.hpp"

namespace fermata::simulation {

class Part final : public Driver {
public:
    Part(World& world, Ledger& ledger, Host& host, const Worker& worker, std::string actor, ClaimedPartition claimed);

    /// One turn. Throws as Run::go_on.
    void go_on() { script_.go_on(); }
    [[nodiscard]] bool done() const { return script_.done(); }
    [[nodiscard]] const PartitionKey& key() const { return *owned_.partition; }

private:
    Script live();
    void rest(Slice& slice);
    [[nodiscard]] bool gives_up_turn() override;
    void give_up(const Slice& slice);
    void end(const Slice& slice);

    ClaimedPartition claimed_;
    Script script_;
};

/// All of them, in the order of their numbers. What is claimed twice, or from somebody who lives, is told.
[[nodiscard]] std::vector<std::unique_ptr<Part>> parts_of(World& world, Ledger& ledger, Host& host,
                                                          const Worker& worker, const std::string& actor,
                                                          const ClaimedPartitions& claimed);

}  // namespace fermata::simulation
