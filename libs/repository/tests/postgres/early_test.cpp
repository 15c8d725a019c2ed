// What the store's verbs promise of a server that crashes before something is on disk.
#include <fermata/base/error.hpp>
#include <fermata/drivers/postgres.hpp>
#include <fermata/repository/repository.hpp>
#include <fermata/sql/sql.hpp>
#include <fermata/testing/postgres_cluster.hpp>
#include <fermata/testing/temp_folder.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fermata::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using Stop = PostgresCluster::Stop;

const std::string hash = "hash of import";

class Crashing : public ::testing::Test {
protected:
    /// Nothing gets to disk but by who waits for it, and that in a tenth of a second.
    Crashing()
        : cluster_(PostgresSettings{.others = {"wal_writer_delay=10s", "commit_delay=100000", "commit_siblings=0"}}),
          store_(std::in_place, postgres::open_database(cluster_.url()), folder_.path(), true) {
        store_->enlist(worker_, {.slots = 4, .jobs = {{"import", hash}}});
    }
    JobExecutionId submit() {
        return std::get<JobExecutionId>(store_->submit({.definition = {hash, "import", "{}"},
                                                        .instance_key = {},
                                                        .parameters = {{"file", "vendors.csv"}},
                                                        .working_directory = "/",
                                                        .actor = "ann"}));
    }
    void crash() { cluster_.restart(Stop::immediate); }
    void expect_forgotten(OnDisk& claim, JobExecutionId id) {
        EXPECT_EQ(thrown_by<sql::SqlError>([&] { claim.wait(); }).sql_kind(), sql::SqlError::Kind::lost);
        EXPECT_THROW(claim.wait(), Error) << "it is not forgotten that it is unknown";
        EXPECT_EQ(BatchStatus::starting, store_->find_execution(id)->status);
        EXPECT_FALSE(store_->owner_of(id));
    }

    TempFolder folder_;
    PostgresCluster cluster_;
    std::optional<Repository> store_;
    Worker worker_{folder_.path(), "alpha"};
};

TEST_F(Crashing, WhatWasSubmittedIsKept) {
    const JobExecutionId id = submit();
    crash();
    EXPECT_EQ(BatchStatus::starting, store_->find_execution(id)->status);
    EXPECT_THAT(store_->verify(), IsEmpty());
}

TEST_F(Crashing, AClaimThatWasNotWaitedForMayBeForgotten) {
    const JobExecutionId id = submit();
    ClaimedTogether claimed = store_->claim_early(worker_, 1, "ann");
    EXPECT_THAT(claimed.executions, SizeIs(1));
    EXPECT_EQ(BatchStatus::started, store_->find_execution(id)->status) << "others see it";
    crash();
    expect_forgotten(claimed.on_disk, id);
    ClaimedTogether again = store_->claim_offered(worker_, {id, hash}, "ann");
    EXPECT_THAT(again.executions, SizeIs(1));
    crash();
    expect_forgotten(again.on_disk, id);
    EXPECT_THAT(store_->verify(), IsEmpty());
}

TEST_F(Crashing, AClaimThatWasWaitedForIsKept) {
    const JobExecutionId id = submit();
    EXPECT_THAT(store_->claim_waiting(worker_, 1, "ann"), SizeIs(1));
    crash();
    EXPECT_EQ(BatchStatus::started, store_->find_execution(id)->status);
    EXPECT_TRUE(store_->owner_of(id));
}

}  // namespace
}  // namespace fermata::testing
