#include "session.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/batch/properties.hpp>

#include "repository_at.hpp"
#include "ringing.hpp"

namespace fermata::cli {

namespace fs = std::filesystem;

Session::Session(const Application& application, Settings settings, Output output, Parameters system)
    : application_(application),
      settings_(std::move(settings)),
      output_(output),
      system_properties_(std::move(system)) {
    if (!settings_.kafka_url().empty())
        doorbell_ = std::make_unique<Ringing>([this] { return application_.open_doorbell(settings_.kafka_url()); });
}
Session::~Session() = default;

std::unique_ptr<sql::Database> Session::database() const {
    return application_.drivers.open(reveal_url(settings_.repository_url()));
}

std::optional<fs::path> Session::database_file() const { return sqlite_path(reveal_url(settings_.repository_url())); }

fs::path Session::local_folder() const { return local_folder_of(database_file()); }

std::unique_ptr<Repository> Session::open_repository(bool create) const {
    return open_repository_at(reveal_url(settings_.repository_url()), application_.drivers, create);
}

Repository& Session::repository(IfAbsent absent) {
    if (repository_) return *repository_;
    if (const auto database = this->database(); absent == IfAbsent::fail && !database->exists())
        throw Error(ErrorKind::unreachable, fmt::format("there is no repository {}", database->display_name()),
                    database->dialect().concurrent_writers
                        ? "create the database, then `fermata db init` makes its tables; --repository names another"
                        : "`fermata run` and `fermata db init` make one; --repository names another");
    repository_ = open_repository(absent == IfAbsent::create);
    notifications_wait_ = jobs().serve_deadlines();  // nobody else may be there to serve them
    return *repository_;
}

JobOperator& Session::jobs() {
    if (!operator_)
        operator_ = std::make_unique<JobOperator>(repository(), application_.registry, application_.drivers,
                                                  JobOperator::Settings{.actor = {},
                                                                        .system_properties = system_properties_,
                                                                        .repository_url = settings_.repository_url(),
                                                                        .doorbell = doorbell_.get()});
    return *operator_;
}

void Session::close() {
    if (notifications_wait_) jobs().serve_notifications();
}

JobExecutionId Session::resolve(const ExecutionRef& reference) {
    const std::string& text = reference.text;
    const auto at = text.find("@latest");
    if (at == std::string::npos) return JobExecutionId(*parse_int64(text));
    std::optional<std::string> job;
    if (at != 0) job = text.substr(0, at);
    if (const auto id = repository().latest(job)) return *id;
    if (!job) throw Error(ErrorKind::not_found, "@latest: nothing has run yet", "fermata run JOB");
    throw Error(ErrorKind::not_found,
                fmt::format("{}: job \"{}\" has never run{}", printable(text), printable(*job),
                            did_you_mean(*job, repository().job_names())),
                "fermata list shows what has run");
}

JobExecution Session::execution(JobExecutionId id) {
    if (auto execution = repository().find_execution(id)) return *std::move(execution);
    throw Error(ErrorKind::not_found, fmt::format("there is no execution {}", id.value()),
                "fermata list shows the executions there are");
}

}  // namespace fermata::cli
