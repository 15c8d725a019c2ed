#include "sql_reader.hpp"

#include "key_value.hpp"
#include "sql_url.hpp"

#include <fermata/base/value_text.hpp>

#include <fmt/core.h>

#include <algorithm>

namespace fermata {
namespace {

constexpr std::int64_t default_fetch = 1000;
constexpr std::int64_t highest_fetch = 1'000'000;

std::int64_t read_fetch(const Properties& properties) {
    const auto fetch = properties.get<std::int64_t>("fetch", default_fetch);
    if (fetch < 1 || fetch > highest_fetch)
        throw properties.wrong("fetch", fmt::format("{} is not from 1 to {}", fetch, highest_fetch));
    return fetch;
}

/// One query, without the semicolon that would end it too early inside ours.
std::string read_query(const Properties& properties) {
    const auto sql = properties.require<std::string>("sql");
    const auto statements = split_statements(sql);
    if (statements.size() != 1)
        throw properties.wrong("sql", fmt::format("holds {} statements", statements.size()), "write one SELECT");
    return std::string(statements.front());
}

Value copied(const Value& value, Arena& arena) {
    if (value.kind() == Value::Kind::text) return arena.copy(value.text());
    if (value.kind() != Value::Kind::bytes) return value;
    const auto bytes = value.bytes();
    const std::string_view copy = arena.copy({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return std::as_bytes(std::span(copy));
}

}  // namespace

SqlReader::SqlReader(const ArtifactContext& context)
    : step_(*context.step),
      url_(context.properties.get<std::string>("url", "")),
      sql_(read_query(context.properties)),
      key_name_(context.properties.require<std::string>("key")),
      fetch_(read_fetch(context.properties)) {}

void SqlReader::open(const Checkpoint& from) {
    if (from) (void)DecodedKey(from.bytes());
    if (!connection_) connect();
    after_ = from.data();
    page_ = {};
    rows_ = next_ = 0;
    last_page_ = false;
}

void SqlReader::connect() {
    database_ = step_.drivers->open(database_or_repository(step_, url_));
    connection_ = database_->connect(sql::OpenMode::read_only);
    bound_ = bind_names(sql_, step_.job->parameters);
    find_columns();
    const std::string query = fmt::format("SELECT * FROM (\n{}\n) AS q", bound_.sql);
    const std::string key = "q." + connection_->quote(columns_->names()[key_]);
    const std::string order = fmt::format("ORDER BY {} LIMIT {}", key, fetch_ + 1);
    null_sql_ = fmt::format("{} WHERE {} IS NULL LIMIT 1", query, key);
    first_sql_ = fmt::format("{} {}", query, order);
    next_sql_ = fmt::format("{} WHERE {} > ${} {}", query, key, bound_.values.size() + 1, order);
}

void SqlReader::find_columns() {
    const auto cursor =
        connection_->query(fmt::format("SELECT * FROM (\n{}\n) AS q LIMIT 0", bound_.sql), bound_.params());
    (void)cursor->next();
    columns_ = std::make_shared<const Columns>(cursor->columns());
    const auto key = columns_->find(key_name_);
    if (!key)
        throw Error(ErrorKind::refused,
                    fmt::format("key \"{}\" is no column of the query{}", key_name_,
                                did_you_mean(key_name_, columns_->names())),
                    "name a column of sql by which its rows are unique");
    key_ = *key;
}

bool SqlReader::read(Record& into) {
    if (next_ == rows_ && !last_page_) fetch_page();
    if (next_ == rows_) return false;
    check_key(next_);
    const std::span<const Value> row = page_[next_++];
    const std::span<Value> cells = into.reset(columns_);
    std::ranges::transform(row, cells.begin(), [&](const Value& value) { return copied(value, into.arena()); });
    if (into.batch().source != key_name_) into.batch().source = key_name_;
    const Value& key = row[key_];
    if (key.kind() == Value::Kind::integer)
        into.set_origin(key.integer(), {});
    else
        into.set_name(into.arena().copy(key.kind() == Value::Kind::text ? key.text() : to_text(key)));
    return true;
}

void SqlReader::fetch_page() {
    after_ = last_key();
    sql::Params params = bound_.params();
    if (!after_) check_no_null(params);
    std::optional<DecodedKey> key;
    if (after_) params.push_back(key.emplace(*after_).value());
    page_ = connection_->execute(after_ ? next_sql_ : first_sql_, std::move(params));
    rows_ = std::min(page_.size(), static_cast<std::size_t>(fetch_));
    next_ = 0;
    last_page_ = rows_ == page_.size();
}

/// Engines that sort null last would never come to it: no key is greater.
void SqlReader::check_no_null(const sql::Params& params) {
    if (connection_->execute(null_sql_, params).empty()) return;
    throw Error(ErrorKind::refused, fmt::format("key \"{}\" is null in a row of the query", key_name_),
                "leave such rows out in sql, or choose another key");
}

void SqlReader::check_key(std::size_t row) const {
    const Value& key = page_[row][key_];
    if (!is_key(key))
        throw Error(
            ErrorKind::refused,
            fmt::format("key \"{}\" is {} in a row of the query", key_name_, key.is_null() ? "null" : "true/false"),
            "leave such rows out in sql, or choose another key");
    if (row + 1 < page_.size() && same_key(page_[row + 1][key_], key))
        throw Error(ErrorKind::refused,
                    fmt::format(R"(key "{}" is not unique: "{}" stands twice)", key_name_,
                                printable(encode_key(key).substr(1))),
                    "choose a key by which the rows of sql are unique");
}

std::optional<std::string> SqlReader::last_key() const {
    return next_ > 0 ? encode_key(page_[next_ - 1][key_]) : after_;
}

Checkpoint SqlReader::checkpoint() const { return Checkpoint(last_key()); }

std::string SqlReader::position() const {
    const auto key = last_key();
    return key ? fmt::format("after {} {}", key_name_, printable(key->substr(1))) : "at the first row";
}

void SqlReader::close() {
    connection_.reset();
    database_.reset();
}

std::vector<PropertyRule> SqlReader::rules() {
    return {check_url, read_query, [](const Properties& properties) { (void)properties.require<std::string>("key"); },
            read_fetch};
}

ArtifactInfo SqlReader::info() {
    ArtifactInfo info;
    info.about = "Reads the rows of a query in the order of a unique key; restarts behind the last key committed";
    info.properties = {
        url_info(),
        {.name = "sql",
         .type = "SQL",
         .required = true,
         .about = "One SELECT; :name binds the job parameter of that name"},
        {.name = "key",
         .type = "column",
         .required = true,
         .about = "Column of the query that is unique and never null; an index on it makes each page cheap"},
        {.name = "fetch",
         .type = "number",
         .default_value = std::to_string(default_fetch),
         .about = "Rows a page, all held in memory"},
    };
    info.example = R"(<reader ref="sqlReader">
  <properties>
    <property name="url" value="sqlite:registry.db"/>
    <property name="sql" value="SELECT id, name FROM vendor WHERE country = :country"/>
    <property name="key" value="id"/>
  </properties>
</reader>)";
    return info;
}

}  // namespace fermata
