#include <fermata/testing/postgres_cluster.hpp>

#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace fermata::testing {
namespace {

using Session = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

Session connect(const std::string& url) {
    Session session(PQconnectdb(url.c_str()), PQfinish);
    if (PQstatus(session.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(session.get()));
    return session;
}

Answer execute(PGconn& session, const std::string& sql) {
    Answer answer(PQexec(&session, sql.c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(&session));
    return answer;
}

std::vector<std::string> guard_arguments(const PostgresSettings& settings) {
    std::vector<std::string> words{"--fsync", settings.fsync ? "on" : "off"};
    for (const std::string& setting : settings.others) words.insert(words.end(), {"-c", setting});
    return words;
}

}  // namespace

PostgresCluster::PostgresCluster(const PostgresSettings& settings)
    : guard_(std::make_unique<ServerGuard>(FERMATA_POSTGRES_CLUSTER, guard_arguments(settings))),
      folder_(guard_->address()) {}

PostgresCluster::~PostgresCluster() = default;

PostgresCluster& PostgresCluster::shared() {
    static const std::unique_ptr<PostgresCluster> cluster = [] {
        if (auto folder = address_of_ctest("FERMATA_TEST_POSTGRES"))
            return std::unique_ptr<PostgresCluster>(new PostgresCluster(Existing{*folder}));
        return std::make_unique<PostgresCluster>(PostgresSettings{.fsync = false});
    }();
    return *cluster;
}

std::optional<std::string> PostgresCluster::missing() {
    return missing_server([] { (void)shared(); });
}

std::string PostgresCluster::url(std::string_view database) const {
    return "postgresql:///" + std::string(database) + "?host=" + folder_.string() + "&user=fermata";
}

std::string PostgresCluster::create_database(std::string_view original) {
    static std::atomic<int> number{0};
    std::string name = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
    execute(*connect(url()), "CREATE DATABASE " + name + " TEMPLATE " + std::string(original));
    return name;
}

void PostgresCluster::drop_database(std::string_view name) {
    execute(*connect(url()), "DROP DATABASE " + std::string(name) + " WITH (FORCE)");
}

void PostgresCluster::stop(Stop how) { guard_->obey(how == Stop::fast ? "stop fast" : "stop immediate"); }

void PostgresCluster::start() { guard_->obey("start"); }

void PostgresCluster::kill_backends() {
    const Session session = connect(url());
    const Answer pids = execute(*session,
                                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                                "AND pid <> pg_backend_pid()");
    for (int row = 0; row < PQntuples(pids.get()); ++row) ::kill(std::atoi(PQgetvalue(pids.get(), row, 0)), SIGKILL);
}

}  // namespace fermata::testing
