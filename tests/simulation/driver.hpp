#pragma once
// What all have in common that drive a step or a partition: its chunks, its rest, and what they know of what is asked
// of it. Each of their verbs is held against the ledger.
#include "ledger.hpp"
#include "script.hpp"

namespace fermata::simulation {

/// What an owner was asked for, as far as it knows.
struct Asked {
    bool stop = false;
    bool pause = false;
    bool pause_now = false;
    bool hands_on = false;  ///< by its own process, which leaves
    bool cut = false;       ///< its step is to end alone
    std::int64_t cuts = 0;
    [[nodiscard]] bool rests() const { return (pause || hands_on) && !stop; }
};

class Driver {
public:
    Driver(World& world, Ledger& ledger, Host& host, const Worker& worker, std::string actor, Owned owned)
        : world_(world),
          ledger_(ledger),
          host_(host),
          worker_(worker),
          actor_(std::move(actor)),
          owned_(std::move(owned)) {}
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    [[nodiscard]] const Owned& owned() const { return owned_; }
    /// It comes to rest, for another worker.
    void hand_on() { asked_.hands_on = true; }

protected:
    ~Driver() = default;
    /// What a step, or a partition of it, has come to.
    struct Slice {
        StepClaim claim;
        Progress progress;
        BatchStatus end = BatchStatus::started;  ///< PAUSED: it is to rest
        bool cut = false;                        ///< it ends before its work is done
        bool turn_is_over = false;               ///< others wait for its slot
    };
    Script run_slice(const Step& step, Slice& slice);
    /// Asked after each chunk of a claimed partition.
    virtual bool gives_up_turn() { return false; }
    void heed(const Requests& requests);
    /// An owner's verb; what it answers and what it does is held against the ledger.
    template <class Verb>
    auto own(std::string_view name, Verb&& verb);
    Repository& store() { return world_.on(host_); }

    World& world_;
    Ledger& ledger_;
    Host& host_;
    const Worker& worker_;
    const std::string actor_;
    const Owned owned_;
    Asked asked_;

private:
    bool commit_chunk(const Step& step, Slice& slice);
    Requests write_chunk(const Slice& slice, const Progress& next);
};

template <class Verb>
auto Driver::own(std::string_view name, Verb&& verb) {
    const Holding before = ledger_.holding(owned_);
    world_.note("  {} {} {} (epoch {})", actor_, name, owned_.shown(), owned_.epoch);
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Verb>>) {
            verb();
            ledger_.acted(name, owned_, worker_, before);
        } else {
            auto answer = verb();
            ledger_.acted(name, owned_, worker_, before);
            return answer;
        }
    } catch (const Error& error) {
        world_.note("    refused");
        if (error.kind() == ErrorKind::stale) ledger_.fenced(name, owned_, worker_, before);
        throw;
    }
}

}  // namespace fermata::simulation
