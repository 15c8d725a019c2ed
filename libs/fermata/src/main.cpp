#include <fermata/cli/cli.hpp>
#include <fermata/fermata.hpp>

namespace fermata {

const char* version() { return FERMATA_VERSION; }

int main(int argc, char** argv, Registry& registry) {
    register_stock_artifacts(registry);
    const sql::Drivers drivers = stock_drivers();
    return cli::run(argc, argv,
                    {.registry = registry, .drivers = drivers, .open_doorbell = open_doorbell, .version = version()});
}

std::unique_ptr<Repository> open_repository(const std::string& url, const sql::Drivers& drivers, bool create) {
    return cli::open_repository_at(reveal_url(url), drivers, create);
}

}  // namespace fermata
