#pragma once
// sqlReader: the rows of a query in the order of a unique key, page by page. Its checkpoint is the last key read, so a
// restart costs one index look-up, and no cursor stays open over a commit.
#include "named_parameters.hpp"

#include <fermata/batch/artifacts.hpp>
#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/sql/sql.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fermata {

class SqlReader {
public:
    using item_type = Record;

    explicit SqlReader(const ArtifactContext& context);

    void open(const Checkpoint& from);
    /// Throws Error(refused) if the key is null or stands twice: rows would be lost at a page's end or a restart.
    bool read(Record& into);
    [[nodiscard]] Checkpoint checkpoint() const;
    [[nodiscard]] std::string position() const;
    void close();

    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    void connect();
    void find_columns();
    void fetch_page();
    void check_no_null(const sql::Params& params);
    void check_key(std::size_t row) const;
    [[nodiscard]] std::optional<std::string> last_key() const;

    StepContext& step_;
    std::string url_;
    std::string sql_;
    std::string key_name_;
    std::int64_t fetch_;

    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Connection> connection_;
    BoundSql bound_;
    std::string null_sql_;
    std::string first_sql_;
    std::string next_sql_;
    ColumnsPtr columns_;
    std::size_t key_ = 0;

    std::optional<std::string> after_;  ///< encoded key before the page
    sql::Result page_;                  ///< one row more than is used, to see a key that stands twice
    std::size_t rows_ = 0;              ///< of the page to be used
    std::size_t next_ = 0;
    bool last_page_ = false;
};

}  // namespace fermata
