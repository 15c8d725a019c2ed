// repository_queries URL FOLDER ROUNDS: what the repository's queries cost, each in turn with SELECT 1 in the same
// session (the server process of a second one may be on another processor): a line a query, "NAME <tab> seconds of
// SELECT 1 <tab> seconds of the query", medians. For the lists also " <tab> seconds of the same rows by hand":
// prepared, nothing made of the rows.
#include "../baseline/postgres.hpp"

#include <fermata/drivers/postgres.hpp>
#include <fermata/repository/repository.hpp>
#include <fermata/testing/forwarding.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using fermata::BatchStatus;

double seconds_of(const std::function<void()>& action) {
    const auto begin = std::chrono::steady_clock::now();
    action();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

// Those the repository has opened.
class Sessions {
public:
    std::unique_ptr<fermata::sql::Database> noted(std::unique_ptr<fermata::sql::Database> database) {
        return std::make_unique<fermata::testing::ForwardingDatabase>(std::move(database), [this](auto connection) {
            all_.push_back(connection.get());
            return connection;
        });
    }
    /// The one in which `action` asks.
    fermata::sql::Connection& of(const std::function<void()>& action) {
        action();
        std::vector<std::int64_t> before;
        for (const auto* session : all_) before.push_back(session->statement_count());
        action();
        for (std::size_t i = 0; i < before.size(); ++i)
            if (all_[i]->statement_count() > before[i]) return *all_[i];
        throw std::logic_error("nothing was asked");
    }

private:
    std::vector<fermata::sql::Connection*> all_;
};

struct Query {
    const char* name;
    std::function<void()> ask;
    std::function<void()> by_hand = nullptr;
};

// The rows of a list; `which` finds the executions, newest first.
class ByHand {
public:
    ByHand(baseline::Server& server, std::string name, const std::string& which)
        : server_(server), name_(std::move(name)) {
        const std::string rows =
            "SELECT e.id, e.instance_id, e.job_name, e.instance_key, e.status, e.exit_status, e.created, e.started, "
            "e.ended, e.updated, e.restart_of, e.restart_from, e.error_class, e.error_message, e.error_step, "
            "e.error_position, e.epoch, e.stop_requested_by, e.stop_requested_at, e.stop_now, e.pauses, e.parameters, "
            "w.id, w.incarnation, w.pid, w.start_ticks, w.host, w.boot_id, w.user_name, w.device, w.inode, w.started, "
            "w.name, w.dead FROM (" +
            which + ") l JOIN job_execution e ON e.id = l.id LEFT JOIN worker w ON w.id = e.owner ORDER BY e.id DESC";
        server_.prepare(name_.c_str(), rows.c_str());
    }
    void operator()() const {
        server_.send(name_.c_str(), {});
        server_.commit_pipeline(1);
    }

private:
    baseline::Server& server_;
    std::string name_;
};

std::vector<Query> queries(fermata::Repository& repository, baseline::Server& server) {
    const ByHand latest(server, "latest", "SELECT id FROM job_execution ORDER BY id DESC LIMIT 50");
    const ByHand failures(
        server, "failures",
        "SELECT id FROM job_execution WHERE job_name = 'job-50' AND status = 'FAILED' AND ended IS NOT NULL "
        "ORDER BY id DESC LIMIT 50");
    server.enter_pipeline();
    const auto execution = *repository.latest("fail");
    const auto instance = repository.find_execution(execution)->instance_id;
    return {
        {"latest 50 executions", [&] { (void)repository.find_executions({}); }, latest},
        {"latest execution of a job", [&] { (void)repository.latest("job-7"); }},
        {"running executions",
         [&] { (void)repository.find_executions({.statuses = {BatchStatus::started, BatchStatus::stopping}}); }},
        {"50 failures of a job",
         [&] { (void)repository.find_executions({.statuses = {BatchStatus::failed}, .job_name = "job-50"}); },
         failures},
        {"one execution", [&repository, execution] { (void)repository.find_execution(execution); }},
        {"steps of an execution", [&repository, execution] { (void)repository.steps_of(execution); }},
        {"steps of an instance", [&repository, instance] { (void)repository.steps_of_instance(instance); }},
    };
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: repository_queries URL FOLDER ROUNDS\n", stderr);
        return 2;
    }
    const int rounds = std::stoi(argv[3]);
    fermata::sql::Drivers drivers;
    fermata::add_postgres_driver(drivers);
    Sessions sessions;
    fermata::Repository repository(sessions.noted(drivers.open(argv[1])), argv[2], false);
    baseline::Server server(argv[1]);
    for (const Query& query : queries(repository, server)) {
        std::vector<double> base;
        std::vector<double> own;
        std::vector<double> by_hand;
        fermata::sql::Connection& session = sessions.of(query.ask);
        const auto select_1 = [&] { (void)session.execute("SELECT 1"); };
        constexpr int warm_up = 10;  // statements are prepared, pages are read
        for (int i = -warm_up; i < rounds; ++i) {
            const double one = seconds_of(select_1);
            const double asked = seconds_of(query.ask);
            const double bare = query.by_hand ? seconds_of(query.by_hand) : 0;
            if (i < 0) continue;
            base.push_back(one);
            own.push_back(asked);
            by_hand.push_back(bare);
        }
        std::printf("%s\t%.9f\t%.9f", query.name, median(std::move(base)), median(std::move(own)));
        if (query.by_hand) std::printf("\t%.9f", median(std::move(by_hand)));
        std::printf("\n");
    }
    return 0;
}
