#pragma once
// Which statements the store executes, and what the engine would do for each.
#include <fermata/testing/forwarding.hpp>

#include <set>
#include <string>
#include <vector>

namespace fermata::testing {

using Texts = std::set<std::string>;

/// Defined by the program: the lines of the engine's plan for `text` that read all rows of a table.
[[nodiscard]] std::vector<std::string> scans_in(sql::Connection& connection, const std::string& text);

class Listening final : public ForwardingConnection {
public:
    Listening(std::unique_ptr<sql::Connection> real, Texts& texts)
        : ForwardingConnection(std::move(real)), texts_(texts) {}
    sql::Result execute(const sql::Command& command) override {
        texts_.emplace(command.sql);
        return real().execute(command);
    }
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override {
        for (const sql::Command& command : commands) texts_.emplace(command.sql);
        return real().execute_all(commands);
    }
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override {
        for (const sql::Command& command : last) texts_.emplace(command.sql);
        return real().commit(last);
    }
    std::unique_ptr<sql::Cursor> query(std::string sql, sql::Params params) override {
        texts_.emplace(sql);
        return real().query(std::move(sql), std::move(params));
    }

private:
    Texts& texts_;
};

/// `real`, whose statements are added to `texts`.
[[nodiscard]] inline std::unique_ptr<sql::Database> listened_to(std::unique_ptr<sql::Database> real, Texts& texts) {
    return std::make_unique<ForwardingDatabase>(std::move(real), [&texts](std::unique_ptr<sql::Connection> connection) {
        return std::make_unique<Listening>(std::move(connection), texts);
    });
}

}  // namespace fermata::testing
