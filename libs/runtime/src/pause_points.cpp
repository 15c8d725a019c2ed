#include "artifact_check.hpp"

#include <fermata/runtime/pause_points.hpp>

#include <set>

namespace fermata {
namespace {

template <class Element>
void add_points(const std::vector<Element>& elements, std::set<std::string>& points);

/// Whatever has transition elements may pause behind itself.
template <class Element>
void add_points_of(const Element& element, std::set<std::string>& points) {
    if constexpr (requires { element.transitions; })
        for (const ResolvedTransition& transition : element.transitions)
            if (transition.pause) points.insert(transition.pause->point);
    if constexpr (requires { element.elements; }) add_points(element.elements, points);
    if constexpr (requires { element.flows; })
        for (const ResolvedFlow& flow : element.flows) add_points_of(flow, points);
}

template <class Element>
void add_points(const std::vector<Element>& elements, std::set<std::string>& points) {
    for (const Element& element : elements)
        std::visit([&](const auto& it) { add_points_of(it, points); }, element.what);
}

}  // namespace

std::vector<std::string> pause_points(const JobDefinition& job, const Registry& registry, const Parameters& given,
                                      const Parameters& system_properties) {
    const Resolution resolution = resolve(job, given, system_properties);
    if (!resolution.job) return {};
    std::set<std::string> points;
    add_points(resolution.job->elements, points);
    for (std::string& point : pause_points_of_artifacts(*resolution.job, registry)) points.insert(std::move(point));
    return {points.begin(), points.end()};
}

}  // namespace fermata
