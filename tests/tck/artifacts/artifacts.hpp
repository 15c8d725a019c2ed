#pragma once
// The artifacts of the suite, written anew in C++ from what the scenarios say of them, under the names the job XML
// uses. One function a subject.
#include <fermata/batch/registry.hpp>

namespace fermata::tck {

void add_exceptions(Registry& registry);
void add_batchlets(Registry& registry);
void add_context_batchlets(Registry& registry);
void add_property_batchlets(Registry& registry);
void add_listeners(Registry& registry);
void add_array_chunk(Registry& registry);
void add_simple_chunk(Registry& registry);
void add_basic_chunk(Registry& registry);
void add_skip_chunk(Registry& registry);
void add_skip_retry_listeners(Registry& registry);
void add_time_chunk(Registry& registry);
void add_error_chunk(Registry& registry);
void add_inventory_chunk(Registry& registry);
void add_deciders(Registry& registry);
void add_partition_artifacts(Registry& registry);
void add_numbers_chunk(Registry& registry);

/// All of them.
void add_artifacts(Registry& registry);

}  // namespace fermata::tck
