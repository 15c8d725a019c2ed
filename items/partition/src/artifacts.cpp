#include "mappers.hpp"

#include <fermata/items/partition.hpp>

namespace fermata {
namespace {

template <class Mapper>
void add(Registry& registry, const char* name) {
    registry.mapper<Mapper>(name, Mapper::info()).rules = Mapper::rules();
}

}  // namespace

void add_partition_artifacts(Registry& registry) {
    add<partition::ListMapper>(registry, "listMapper");
    add<partition::FilesMapper>(registry, "filesMapper");
    add<partition::CsvMapper>(registry, "csvMapper");
    add<partition::JsonlMapper>(registry, "jsonlMapper");
}

}  // namespace fermata
