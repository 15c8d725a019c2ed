#pragma once
// A database whose connection goes away once: instead of its n-th call, or with the answer to it.
#include <fermata/testing/forwarding.hpp>

#include <atomic>
#include <functional>
#include <type_traits>

namespace fermata::testing {

struct Break {
    enum class How : std::uint8_t { instead, after };
    int left = 0;  ///< calls to the one that breaks; 0: none does
    How how = How::instead;
    std::function<void()> meanwhile = {};  ///< what others do before it comes back

    /// Threads of the runtime call beside each other.
    bool is_now() {
        std::atomic_ref<int> calls(left);
        return calls > 0 && --calls == 0;
    }
};

class BreakingConnection final : public ForwardingConnection {
public:
    BreakingConnection(std::unique_ptr<sql::Connection> real, Break& next)
        : ForwardingConnection(std::move(real)), break_(next) {}
    using sql::Connection::execute;
    sql::Result execute(const sql::Command& command) override {
        return broken([&] { return real().execute(command); });
    }
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override {
        return broken([&] { return real().execute_all(commands); });
    }
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override {
        return broken([&] { return real().commit(last); });
    }

private:
    template <class Call>
    std::invoke_result_t<Call> broken(Call&& call) {
        if (!break_.is_now()) return call();
        if (break_.how == Break::How::after) call();
        real().rollback();
        if (break_.meanwhile) break_.meanwhile();
        throw sql::SqlError(sql::SqlError::Kind::lost, "the connection is gone");
    }
    Break& break_;
};

/// Looks like a server to those who wait for one that comes back. `next` is asked at each call.
[[nodiscard]] inline std::unique_ptr<sql::Database> breaking(std::unique_ptr<sql::Database> real, Break& next) {
    auto database = std::make_unique<ForwardingDatabase>(
        std::move(real), [&next](std::unique_ptr<sql::Connection> connection) -> std::unique_ptr<sql::Connection> {
            return std::make_unique<BreakingConnection>(std::move(connection), next);
        });
    database->pretend_to_be_a_server();
    return database;
}

}  // namespace fermata::testing
