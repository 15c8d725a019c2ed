#pragma once
// A worker's ear: hears the doorbell on a thread of its own, since whoever waits for the database cannot wait for that,
// too.
#include <fermata/runtime/doorbell.hpp>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace fermata {

class Listening {
public:
    /// `heard` is called on the thread. Throws as Doorbell::listen(). REQUIRES: `doorbell` outlives this.
    Listening(Doorbell& doorbell, std::function<void()> heard);
    /// Leaves: others hear from now on.
    ~Listening() = default;

    /// True from when something was heard until answered().
    [[nodiscard]] bool has_heard();
    /// The database was asked for a claim after has_heard(). Until then nothing more is heard.
    void answered();
    /// Doorbell::trouble().
    [[nodiscard]] std::string trouble() const { return doorbell_.trouble(); }

private:
    void run(const std::stop_token& done);
    /// False if `done` came first.
    bool pass_on(const std::stop_token& done);

    Doorbell& doorbell_;
    std::function<void()> heard_;
    std::mutex mutex_;
    std::condition_variable_any answered_;
    bool has_heard_ = false;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace fermata
