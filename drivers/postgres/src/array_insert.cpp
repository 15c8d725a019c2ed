#include "bulk.hpp"
#include "connection.hpp"
#include "errors.hpp"
#include "wire.hpp"

#include <algorithm>
#include <cstring>

namespace fermata::postgres {

namespace {

constexpr const char* mark = "SAVEPOINT fermata_part";
constexpr const char* unmark = "RELEASE SAVEPOINT fermata_part";
constexpr const char* back_to_mark = "ROLLBACK TO SAVEPOINT fermata_part";

// Of an array with one dimension: dimensions, flags, element type, elements, lower bound.
constexpr std::size_t header_size = 20;

void begin_array(std::string& array, Oid element, std::size_t rows) {
    array.resize(header_size);  // what it holds keeps the room of the chunk before
    char* place = array.data();
    const std::uint32_t may_have_nulls = 1;
    for (const std::uint32_t number : {1U, may_have_nulls, element, static_cast<std::uint32_t>(rows), 1U})
        place = put_big_endian(place, number);
}

/// Behind the element at `at`.
std::size_t next_element(const std::string& array, std::size_t at) noexcept {
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(array[at + i]);
    return at + 4 + (static_cast<std::int32_t>(length) < 0 ? 0 : length);
}

void run(Link& session, std::initializer_list<const char*> statements) {
    for (const char* sql : statements) session.run(sql);
    session.sync();
    for (std::size_t i = 0; i < statements.size(); ++i) (void)session.answer();
    session.finish();
}

}  // namespace

ArrayInsert::ArrayInsert(std::string sql, std::vector<Codec> codecs, bool upsert,
                         std::function<sql::BulkTarget::Place(std::size_t)> place_of)
    : sql_(std::move(sql)),
      codecs_(std::move(codecs)),
      upsert_(upsert),
      place_of_(std::move(place_of)),
      arrays_(codecs_.size()) {
    for (const Codec& codec : codecs_) types_.push_back(codec.array());
}

void ArrayInsert::encode(std::size_t rows, std::span<const Value> cells) {
    rows_ = rows;
    const std::size_t width = codecs_.size();
    try {
        begin_arrays();
        for (std::size_t i = 0; i < width; ++i) codecs_[i].append_column(arrays_[i], cells.subspan(i), width);
    } catch (const ConversionError&) {
        // Once more by rows: the first of them that cannot be sent is the one that is told.
        begin_arrays();
        for (std::size_t i = 0; i < rows * width; ++i)
            codecs_[i % width].append(arrays_[i % width], cells[i], i / width);
        throw;
    }
}

void ArrayInsert::begin_arrays() {
    for (std::size_t i = 0; i < codecs_.size(); ++i) begin_array(arrays_[i], codecs_[i].element(), rows_);
}

void ArrayInsert::prepare(Connection& connection) const { connection.prepare(sql_, types_); }

// At the very beginning of a transaction there is a way back without a savepoint.
void ArrayInsert::queue_place(Connection& connection) {
    at_savepoint_ = connection.has_begun() || upsert_;
    connection.queue_begin();
    if (at_savepoint_) connection.queue_savepoint();
}

std::string ArrayInsert::place_of_copy(Connection& connection) {
    if (connection.begin_by_caller()) {
        at_savepoint_ = false;
        return std::string(begin_sql) + ";";
    }
    queue_place(connection);
    return {};
}

void ArrayInsert::queue(Connection& connection) {
    queue_place(connection);
    execute(connection, arrays_);
}

void ArrayInsert::queue_first(Connection& connection) {
    at_savepoint_ = false;
    execute(connection, arrays_);
}

void ArrayInsert::execute(Connection& connection, const std::vector<std::string>& arrays) const {
    std::vector<Value> values;
    values.reserve(arrays.size());
    for (const std::string& array : arrays) values.emplace_back(std::as_bytes(std::span(array)));
    const std::vector<Oid> as_they_are(values.size(), type::bytes);
    const Prepared* prepared = connection.statements().find({sql_});
    connection.link().execute(prepared->name.c_str(), Parameters(values, as_they_are), false);
}

bool ArrayInsert::is_about_rows(const PGresult* failure) const {
    const std::string_view state = sqlstate(failure);
    return refuses_row(state) || refuses_value(state) || (upsert_ && state == "21000");
}

void ArrayInsert::go_back(Connection& connection) const {
    if (at_savepoint_) return run(connection.link(), {"ROLLBACK TO SAVEPOINT fermata_bulk"});
    if (connection.begin_by_caller()) return run(connection.link(), {begin_sql});
    run(connection.link(), {"ROLLBACK", begin_sql});
}

bool ArrayInsert::redo(Connection& connection, const PGresult* failure) {
    if (!is_about_rows(failure)) return false;
    go_back(connection);
    if (const auto refusal = write(connection, 0, rows_)) refuse(connection, *refusal);
    return true;
}

std::optional<ArrayInsert::Refusal> ArrayInsert::write(Connection& connection, std::size_t from, std::size_t to) {
    Handle<PGresult> failure = try_write(connection, from, to);
    if (!failure) return std::nullopt;
    if (to - from == 1 || !is_about_rows(failure.get())) return Refusal{from, std::move(failure)};
    run(connection.link(), {back_to_mark, unmark});
    const std::size_t middle = from + (to - from) / 2;
    if (auto refusal = write(connection, from, middle)) return refusal;
    return write(connection, middle, to);
}

/// Nothing if they are written.
Handle<PGresult> ArrayInsert::try_write(Connection& connection, std::size_t from, std::size_t to) {
    Link& session = connection.link();
    session.run(mark);
    execute(connection, slice(from, to));
    session.run(unmark);
    session.sync();
    (void)session.answer();
    Handle<PGresult> answer = session.answer();
    (void)session.answer();
    session.finish();
    if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK) return nullptr;
    return answer;
}

std::vector<std::string> ArrayInsert::slice(std::size_t from, std::size_t to) const {
    std::vector<std::string> slices;
    for (std::size_t column = 0; column < arrays_.size(); ++column) {
        const std::string& array = arrays_[column];
        std::size_t begin = header_size;
        for (std::size_t row = 0; row < from; ++row) begin = next_element(array, begin);
        std::size_t end = begin;
        for (std::size_t row = from; row < to; ++row) end = next_element(array, end);
        begin_array(slices.emplace_back(), codecs_[column].element(), to - from);
        slices.back().append(array, begin, end - begin);
    }
    return slices;
}

template <class E>
void ArrayInsert::throw_placed(const E& error, std::size_t row) const {
    if (!place_of_) throw E(error);
    const auto place = place_of_(row);
    throw E(error.what(), place.position, place.raw);
}

void ArrayInsert::refuse(Connection& connection, const Refusal& refusal) const {
    const std::string number = std::to_string(refusal.row);
    connection.doom();
    try {
        throw_error(refusal.answer.get(), {connection.name(), sql_, number});
    } catch (const ConstraintError& error) {
        throw_placed(error, refusal.row);
    } catch (const ConversionError& error) {
        throw_placed(error, refusal.row);
    }
}

}  // namespace fermata::postgres
