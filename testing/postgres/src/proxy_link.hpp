#pragma once
// One connection through the proxy: two flows of bytes, and perhaps a fault in one of them.
#include "fd.hpp"

#include <fermata/testing/proxy.hpp>

#include <poll.h>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::testing {

/// The fault a test has armed, shared by all connections: the first to see the marker takes it.
struct ArmedFault {
    std::optional<Fault> waiting;
    bool fired = false;
    int number = 0;  ///< of the arming; a marker is looked for in what is sent after it
};

class Link {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// Both ends connected and non-blocking.
    Link(Fd client, Fd server, ArmedFault& armed, const Weather& weather);

    /// What step() waits for.
    void add_to(std::vector<pollfd>& polled) const;
    [[nodiscard]] std::optional<Time> wakes_at() const noexcept;
    /// What waits for its time passes at the next step.
    void release();
    /// Moves what can be moved.
    void step(Time now);
    [[nodiscard]] bool is_settled() const noexcept { return !wakes_at_ && state_ != State::draining; }
    [[nodiscard]] bool is_over() const noexcept { return state_ == State::over; }

private:
    enum class State { flowing, closing, late, draining, hole, over };
    struct Portion {
        Time due;
        std::string data;
    };
    struct Flow {
        const Fd& from;
        const Fd& to;
        const bool& passes;             ///< as the weather is
        std::deque<Portion> under_way;  ///< read, not yet here
        std::string pending;            ///< here, not yet written
        bool ended = false;             ///< nothing more will be read
        bool held = false;              ///< by a fault
    };

    [[nodiscard]] bool is_read(const Flow& flow) const;
    void pump(Flow& flow, Time now);
    void read_into(Flow& flow, Time now);
    void arrive(Flow& flow, std::string_view data);
    void write_from(Flow& flow);
    void take_fault_behind_marker(std::string_view& data);
    void pass(Flow& flow, std::string_view data);
    void fire(Flow& flow, std::string_view stopped);
    void close_client();
    void wake();

    Fd client_;
    Fd server_;
    ArmedFault& armed_;
    const Weather& weather_;
    Flow up_{client_, server_, weather_.to_server, {}, {}};
    Flow down_{server_, client_, weather_.to_client, {}, {}};
    State state_ = State::flowing;
    std::string sent_;  ///< by the client since the arming: the end, where a marker may begin
    int arming_ = 0;
    std::optional<Fault> fault_;  ///< taken, not yet fired; `after` counts down
    std::string stopped_;         ///< bytes that pass later
    std::optional<Time> wakes_at_;
};

}  // namespace fermata::testing
