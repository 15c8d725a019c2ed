#pragma once
// sqlWriter: records into one table, inside the chunk's transaction.
#include "write_plan.hpp"

#include <fermata/batch/artifacts.hpp>
#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>

#include <memory>
#include <span>
#include <vector>

namespace fermata {

class SqlWriter {
public:
    using item_type = Record;

    explicit SqlWriter(const ArtifactContext& context);

    [[nodiscard]] Sink sink() const;
    /// Statements are kept from here to close(): one connection serves all chunks between.
    void open(const Checkpoint& from);
    void write(std::span<Record> records, Transaction& transaction);
    void close();

    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    /// How records of one shape are written.
    struct Shape {
        ColumnsPtr columns;
        WritePlan plan;
        std::unique_ptr<std::span<const Record>> last;  ///< what was written last: an engine may complain at the commit
        std::unique_ptr<sql::BulkWriter> bulk;
    };
    void write_alike(std::span<Record> records, sql::Connection& connection);
    Shape& shape_of(const ColumnsPtr& columns, sql::Connection& connection);
    void gather(std::span<Record> records, const std::vector<std::size_t>& sources);

    StepContext& step_;
    std::string url_;
    std::string sink_table_;
    TableRules rules_;
    std::vector<Shape> shapes_;
    std::vector<Value> cells_;
};

}  // namespace fermata
