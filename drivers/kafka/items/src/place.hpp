#pragma once
// The properties `url`, `topic` and `timeout`, which reader and writer have in common.
#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/items/kafka/port.hpp>

#include <string>
#include <vector>

namespace fermata::kafka {

/// Secrets revealed: to be asked for at the moment of use and never kept. Throws Error(invalid), Error(refused).
[[nodiscard]] Url url_of(const Properties& properties);
[[nodiscard]] std::string topic_of(const Properties& properties);
[[nodiscard]] Manner manner_of(const ArtifactContext& context);

[[nodiscard]] std::vector<PropertyInfo> place_info();
[[nodiscard]] std::vector<PropertyRule> place_rules();

/// One of `choices`; throws Error(invalid) with did-you-mean.
[[nodiscard]] std::size_t choice_of(const Properties& properties, std::string_view property,
                                    const std::vector<std::string>& choices);

}  // namespace fermata::kafka
