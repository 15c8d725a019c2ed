#pragma once
// Statements prepared on one session, by their text.
#include "sql_text.hpp"
#include "types.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fermata::postgres {

class Link;

struct Prepared {
    std::string key;   ///< the caller's text
    std::string text;  ///< as the server has it
    SqlText::Verb verb = SqlText::Verb::other;
    bool returning = false;
    std::string name;
    std::vector<Oid> types;  ///< of its parameters, as the server sees them
    bool binary = false;     ///< every column comes back binary
};

class Statements {
public:
    /// `fenced`: in the form that refuses another number of rows than its last parameter says.
    struct Wanted {
        std::string_view sql;
        bool fenced = false;
    };
    /// Nothing if it is not prepared.
    [[nodiscard]] Prepared* find(const Wanted& wanted) const;
    /// REQUIRES: not prepared yet. Queues its preparation and the question for its types, two answers.
    Prepared& add(const Wanted& wanted, Link& link);
    /// The same, types known: one answer.
    Prepared& add(const std::string& sql, std::vector<Oid> types, Link& link);
    /// Forgets it: the session knows it no longer, or knows something outdated.
    void remove(const Prepared& prepared);
    /// What the session has is gone with it.
    void clear() noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return plain_.size() + fenced_.size(); }

private:
    using Map = std::unordered_map<std::string_view, std::unique_ptr<Prepared>>;  ///< keys: Prepared::key
    Prepared& insert(Map& map, Prepared prepared);
    [[nodiscard]] const Map& map_of(const Wanted& wanted) const noexcept { return wanted.fenced ? fenced_ : plain_; }

    Map plain_;
    Map fenced_;
    std::int64_t number_ = 0;
};

/// Reads what the server says about a prepared statement.
void read_description(Prepared& prepared, const PGresult* description);
[[nodiscard]] bool all_native(const PGresult* description);

}  // namespace fermata::postgres
