#pragma once
// The one include of programs that bring artifacts of their own (design §15):
//
//     int main(int argc, char** argv) {
//         fermata::Registry registry;
//         registry.reader<OrderReader>("orderReader");
//         return fermata::main(argc, argv, registry);
//     }
//
// Programs with a main loop of their own use JobOperator: docs/embedding.md. Any program that links this library is the
// guard of its commands when it is started with the first argument __guard (items/guard.hpp), before its own main.
#include <fermata/batch/registry.hpp>
#include <fermata/model/builder.hpp>
#include <fermata/runtime/doorbell.hpp>
#include <fermata/runtime/job_operator.hpp>
#include <fermata/sql/sql.hpp>

namespace fermata {

/// The whole command line over `registry`, to which the stock artifacts are added. Answers the exit code. Must be
/// called before any other thread is started: it decides who gets signals.
int main(int argc, char** argv, Registry& registry);

/// For programs that use JobOperator themselves. Artifacts the registry has already keep their names: registering a
/// stock name of one's own throws Error(invalid).
void register_stock_artifacts(Registry& registry);
/// SQLite, and PostgreSQL, whose module is loaded when such a URL is first opened. Keep it as long as the JobOperator.
[[nodiscard]] sql::Drivers stock_drivers();

/// For programs that use JobOperator themselves: the repository that `fermata --repository URL` would use, with the
/// same folder for owner files and logs, so that list, logs and stop see what runs here. Made if it is missing and
/// `create`. `url` may hold references to secrets. Throws as Drivers::open and Repository's constructor.
[[nodiscard]] std::unique_ptr<Repository> open_repository(const std::string& url, const sql::Drivers& drivers,
                                                          bool create = true);

/// How workers hear sooner that there is work: kafka://HOST:PORT[,…][/TOPIC][?SETTING=VALUE&…] (docs/kafka.md). Loads
/// Kafka's module; connects to nobody. Throws Error(usage) for a URL or setting that is wrong, Error(refused) if the
/// module cannot be loaded.
[[nodiscard]] std::unique_ptr<Doorbell> open_doorbell(const std::string& url);

/// "0.1.0"
[[nodiscard]] const char* version();

}  // namespace fermata
