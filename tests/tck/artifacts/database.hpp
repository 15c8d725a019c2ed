#pragma once
// The business database of the transaction scenarios: readers look with a connection of their own, writers write in the
// chunk's transaction.
#include "artifact.hpp"
#include "stage.hpp"

#include <fermata/sql/sql.hpp>

namespace fermata::tck {

/// A reader's or listener's view: what is committed.
class Committed {
public:
    explicit Committed(const StepContext& step)
        : connection_(step.drivers->open(stage().database)->connect(sql::OpenMode::read_write)) {}
    [[nodiscard]] std::int64_t number(std::string_view sql) { return connection_->execute(sql)[0][0].integer(); }
    sql::Connection* operator->() const noexcept { return connection_.get(); }

private:
    std::unique_ptr<sql::Connection> connection_;
};

/// Its rows commit with the chunk.
class BusinessWriter : protected Artifact {
public:
    [[nodiscard]] static Sink sink() { return {SinkClass::transactional, stage().database}; }

protected:
    using Artifact::Artifact;
};

}  // namespace fermata::tck
