#include "turns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace fermata::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto deadline = 60s;  // how long a statement may take before the test says that it hangs
thread_local int seat = -1;

}  // namespace

Turns::Game::Game(Turns& turns) : turns_(turns) {
    const std::lock_guard lock(turns.mutex_);
    turns.players_ = {};
    turns.free_ = false;
}
Turns::Game::~Game() { turns_.let_all_go(); }

Turns::Seat::Seat(Turns& turns, int player) : turns_(turns), player_(player) { seat = player; }
Turns::Seat::~Seat() {
    seat = -1;
    const std::lock_guard lock(turns_.mutex_);
    turns_.players_[player_].state = State::ended;
    turns_.changed_.notify_all();
}

void Turns::let_all_go() {
    const std::lock_guard lock(mutex_);
    free_ = true;
    changed_.notify_all();
}

void Turns::await(std::int64_t session) {
    if (seat < 0) return;
    std::unique_lock lock(mutex_);
    Player& me = players_[seat];
    me.session = session;
    me.state = State::waiting;
    changed_.notify_all();
    changed_.wait(lock, [&] { return me.granted || free_; });
    me.granted = false;
    me.state = State::running;
}

void Turns::grant(int player) {
    players_[player].granted = true;
    players_[player].state = State::running;
    changed_.notify_all();
}

bool Turns::is_settled(const Player& player) const {
    return player.state == State::waiting || player.state == State::ended || player.state == State::blocked;
}

/// A running statement that waits for a lock, and a blocked one that no longer does.
void Turns::look_for_locks(std::unique_lock<std::mutex>& lock) {
    for (Player& player : players_) {
        if (player.state != State::running && player.state != State::blocked) continue;
        const std::int64_t session = player.session;
        lock.unlock();
        const sql::Result found =
            watcher_.execute("SELECT COALESCE(cardinality(pg_blocking_pids(CAST($1 AS int))), 0)", {Value(session)});
        lock.lock();
        if (player.session != session || (player.state != State::running && player.state != State::blocked)) continue;
        player.state = found[0][0].integer() > 0 ? State::blocked : State::running;
    }
}

void Turns::settle(std::unique_lock<std::mutex>& lock) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    for (;;) {
        look_for_locks(lock);
        if (std::ranges::all_of(players_, [&](const Player& p) { return is_settled(p); })) return;
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error("a statement neither ends nor waits");
        changed_.wait_for(lock, 1ms);  // a lock is waited for in silence
    }
}

bool Turns::play(int first, const std::vector<int>& changes) {
    std::unique_lock lock(mutex_);
    std::size_t change = 0;
    int sent = 0;
    for (int turn = first;;) {
        settle(lock);
        const auto can_go = [&](int player) { return players_[player].state == State::waiting; };
        if (!can_go(0) && !can_go(1)) {
            const auto ended = [](const Player& player) { return player.state == State::ended; };
            if (std::ranges::all_of(players_, ended)) return change == changes.size();
            // One that has ended may have left its rollback on the way; then the other goes on by itself.
            if (std::ranges::any_of(players_, ended)) {
                changed_.wait_for(lock, 1ms);
                continue;
            }
            ADD_FAILURE() << "both wait for each other";
            free_ = true;
            changed_.notify_all();
            changed_.wait_for(lock, deadline, [&] { return std::ranges::all_of(players_, ended); });
            return false;
        }
        if (!can_go(turn)) {
            turn = 1 - turn;
            sent = 0;
            if (change < changes.size()) change = changes.size() + 1;  // this order is another one's
        } else if (change < changes.size() && sent == changes[change]) {
            ++change;
            sent = 0;
            if (can_go(1 - turn)) turn = 1 - turn;
        } else {
            ++sent;
            grant(turn);
        }
    }
}

}  // namespace fermata::testing
