// repository_queries URL FOLDER ROUNDS: what the repository's queries cost, each in turn with SELECT 1 on a connection
// of the same driver: a line a query, "NAME <tab> seconds of SELECT 1 <tab> seconds of the query", medians.
#include <fermata/drivers/postgres.hpp>
#include <fermata/repository/repository.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
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

using Query = std::pair<const char*, std::function<void()>>;

std::vector<Query> queries(fermata::Repository& repository) {
    const auto execution = *repository.latest("fail");
    const auto instance = repository.find_execution(execution)->instance_id;
    return {
        {"latest 50 executions", [&] { (void)repository.find_executions({}); }},
        {"latest execution of a job", [&] { (void)repository.latest("job-7"); }},
        {"running executions",
         [&] { (void)repository.find_executions({.statuses = {BatchStatus::started, BatchStatus::stopping}}); }},
        {"50 failures of a job",
         [&] { (void)repository.find_executions({.statuses = {BatchStatus::failed}, .job_name = "job-50"}); }},
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
    fermata::Repository repository(drivers.open(argv[1]), argv[2], false);
    const auto plain = drivers.open(argv[1])->connect(fermata::sql::OpenMode::read_only);
    const auto select_1 = [&] { (void)plain->execute("SELECT 1"); };
    for (const auto& [name, query] : queries(repository)) {
        for (int i = 0; i < 10; ++i) select_1(), query();  // statements are prepared, pages are read
        std::vector<double> base;
        std::vector<double> own;
        for (int i = 0; i < rounds; ++i) {
            base.push_back(seconds_of(select_1));
            own.push_back(seconds_of(query));
        }
        std::printf("%s\t%.9f\t%.9f\n", name, median(std::move(base)), median(std::move(own)));
    }
    return 0;
}
