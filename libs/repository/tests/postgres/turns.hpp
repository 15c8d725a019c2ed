#pragma once
// Who may send a statement: two threads, each on connections of its own, take turns as a test says. Whether one waits
// for a lock of the other is asked of PostgreSQL; nothing depends on how long something takes.
#include <fermata/sql/sql.hpp>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace fermata::testing {

class Turns {
public:
    /// `watcher` looks at the server's locks.
    explicit Turns(sql::Connection& watcher) : watcher_(watcher) {}

    /// While it lives, statements of seated threads wait for their turn.
    class Game {
    public:
        explicit Game(Turns& turns);
        ~Game();
        Game(const Game&) = delete;
        Game& operator=(const Game&) = delete;

    private:
        Turns& turns_;
    };
    /// Of a thread, as long as it plays.
    class Seat {
    public:
        Seat(Turns& turns, int player);
        ~Seat();
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;

    private:
        Turns& turns_;
        int player_;
    };

    /// For a connection, before each statement.
    void await(std::int64_t session);
    /// Lets `first` send as many statements as `changes` says, then the other one, and so on; after the last change,
    /// and where the one whose turn it is waits for a lock or has ended, the other goes on. Returns when both have
    /// ended. False if some changes were never reached. Both waiting for each other fails the test.
    bool play(int first, const std::vector<int>& changes);

private:
    enum class State : std::uint8_t { away, waiting, running, blocked, ended };
    struct Player {
        State state = State::away;
        bool granted = false;
        std::int64_t session = 0;
    };
    void settle(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] bool is_settled(const Player& player) const;
    void look_for_locks(std::unique_lock<std::mutex>& lock);
    void grant(int player);
    void let_all_go();

    sql::Connection& watcher_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::array<Player, 2> players_;
    bool free_ = true;
};

}  // namespace fermata::testing
