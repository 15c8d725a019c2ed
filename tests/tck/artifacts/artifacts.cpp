#include "artifacts.hpp"

namespace fermata::tck {

void add_artifacts(Registry& registry) {
    add_exceptions(registry);
    add_batchlets(registry);
    add_context_batchlets(registry);
    add_property_batchlets(registry);
    add_listeners(registry);
    add_array_chunk(registry);
    add_simple_chunk(registry);
    add_basic_chunk(registry);
    add_skip_chunk(registry);
    add_skip_retry_listeners(registry);
    add_time_chunk(registry);
    add_error_chunk(registry);
    add_inventory_chunk(registry);
    add_deciders(registry);
    add_partition_artifacts(registry);
    add_numbers_chunk(registry);
}

}  // namespace fermata::tck
