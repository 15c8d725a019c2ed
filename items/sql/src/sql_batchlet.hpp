#pragma once
// sql: statements in one transaction.
#include <fermata/base/sync.hpp>
#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/sql/sql.hpp>

#include <atomic>
#include <string>

namespace fermata {

class SqlBatchlet {
public:
    explicit SqlBatchlet(const ArtifactContext& context);

    /// All or nothing. "COMPLETED", or "STOPPED" if stop() came before the commit.
    std::string process();
    void stop();

    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    bool run(sql::Connection& connection);
    bool run_statements(sql::Connection& connection);

    StepContext& step_;
    std::string url_;
    std::string script_;
    std::atomic<bool> stopping_{false};
    Sync<sql::Connection*> running_{nullptr};
};

}  // namespace fermata
