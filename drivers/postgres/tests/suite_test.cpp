#include <fermata/drivers/postgres.hpp>
#include <fermata/testing/postgres_cluster.hpp>
#include <fermata/testing/sql_suite.hpp>

namespace fermata::testing {

namespace {

/// A database that goes with its last user.
class Owned final : public sql::Database {
public:
    std::unique_ptr<sql::Connection> connect(sql::OpenMode mode) override { return real_->connect(mode); }
    const sql::Dialect& dialect() const noexcept override { return real_->dialect(); }
    std::string identity() const override { return real_->identity(); }
    std::string display_name() const override { return real_->display_name(); }
    bool exists() const override { return real_->exists(); }
    std::vector<std::string> integrity_check() override { return real_->integrity_check(); }
    void backup_to(const std::string& target) override { real_->backup_to(target); }

private:
    PostgresDatabase place_;
    std::unique_ptr<sql::Database> real_ = postgres::open_database(place_.url());
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Postgres, SqlSuite,
                         ::testing::Values(Engine{
                             "cluster",
                             [](const std::filesystem::path& /*folder*/) { return std::make_unique<Owned>(); }}),
                         engine_name);

}  // namespace fermata::testing
