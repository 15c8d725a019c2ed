#include "statements.hpp"

#include "link.hpp"

namespace fermata::postgres {

Prepared* Statements::find(const Wanted& wanted) const {
    const Map& map = map_of(wanted);
    const auto found = map.find(wanted.sql);
    return found == map.end() ? nullptr : found->second.get();
}

Prepared& Statements::insert(Map& map, Prepared prepared) {
    auto owned = std::make_unique<Prepared>(std::move(prepared));
    owned->name = "fermata_" + std::to_string(++number_);
    // Only BEGIN and COMMIT are: so they can be told on the wire.
    if (owned->verb == SqlText::Verb::other) owned->name += "_" + owned->key;
    const std::string_view key = owned->key;
    return *map.emplace(key, std::move(owned)).first->second;
}

Prepared& Statements::add(const Wanted& wanted, Link& link) {
    const std::string key(wanted.sql);
    const SqlText text(key);
    Prepared& added = insert(wanted.fenced ? fenced_ : plain_, {.key = key,
                                                                .text = wanted.fenced ? fenced(key).value_or(key) : key,
                                                                .verb = text.verb,
                                                                .returning = text.returning});
    link.prepare(added.name.c_str(), added.text.c_str());
    link.describe(added.name.c_str());
    return added;
}

Prepared& Statements::add(const std::string& sql, std::vector<Oid> types, Link& link) {
    Prepared& added =
        insert(plain_, {.key = sql, .text = sql, .verb = SqlText::Verb::change, .types = std::move(types)});
    link.prepare(added.name.c_str(), added.text.c_str(), added.types);
    return added;
}

void Statements::remove(const Prepared& prepared) {
    std::erase_if(plain_, [&](const auto& entry) { return entry.second.get() == &prepared; });
    std::erase_if(fenced_, [&](const auto& entry) { return entry.second.get() == &prepared; });
}

void Statements::clear() noexcept {
    plain_.clear();
    fenced_.clear();
}

bool all_native(const PGresult* description) {
    for (int i = 0; i < PQnfields(description); ++i) {
        if (!is_native(PQftype(description, i))) return false;
    }
    return true;
}

void read_description(Prepared& prepared, const PGresult* description) {
    prepared.types.clear();
    for (int i = 0; i < PQnparams(description); ++i) prepared.types.push_back(PQparamtype(description, i));
    prepared.binary = all_native(description);
}

}  // namespace fermata::postgres
