#include <fermata/cli/cli.hpp>
#include <fermata/fermata.hpp>
#include <fermata/items/guard.hpp>

#include <string_view>

namespace fermata {

const char* version() { return FERMATA_VERSION; }

int main(int argc, char** argv, Registry& registry) {
    if (argc > 1 && argv[1] == std::string_view(guard_verb)) return guard_main(argc, argv);
    register_stock_artifacts(registry);
    const sql::Drivers drivers = stock_drivers();
    return cli::run(argc, argv,
                    {.registry = registry, .drivers = drivers, .open_doorbell = open_doorbell, .version = version()});
}

}  // namespace fermata
