#include "transition.hpp"

#include <fermata/base/text.hpp>

namespace fermata {
namespace {

Transition taken(const ResolvedTransition& element) {
    switch (element.kind) {
        case TransitionDefinition::Kind::next:
            return {Transition::Kind::next, element.to, {}, {}};
        case TransitionDefinition::Kind::end:
            return {Transition::Kind::end, {}, element.exit_status, {}};
        case TransitionDefinition::Kind::fail:
            return {Transition::Kind::fail, {}, element.exit_status, {}};
        case TransitionDefinition::Kind::stop:
        case TransitionDefinition::Kind::pause:
            break;
    }
    return {Transition::Kind::stop, {}, element.exit_status, element.restart};
}

}  // namespace

std::string_view to_string(Transition::Kind kind) {
    switch (kind) {
        case Transition::Kind::next:
            return "next";
        case Transition::Kind::finish:
            return "finish";
        case Transition::Kind::end:
            return "end";
        case Transition::Kind::fail:
            return "fail";
        case Transition::Kind::stop:
            return "stop";
        case Transition::Kind::failed:
            break;
    }
    return "failed";
}

Transition transition_after(const Ways& ways, BatchStatus status, std::string_view exit_status) {
    if (status == BatchStatus::stopped) return {Transition::Kind::stop, {}, {}, {}};  // §11.13: no element is looked at
    const ResolvedTransition* pause = nullptr;
    const auto with_pause = [&pause](Transition way) {
        if (pause != nullptr) way.pause = pause->pause;
        return way;
    };
    for (const ResolvedTransition& element : ways.transitions) {
        const bool is_pause = element.kind == TransitionDefinition::Kind::pause;
        if ((is_pause && pause != nullptr) || !matches_glob(element.on, exit_status)) continue;
        if (!is_pause) return with_pause(taken(element));
        pause = &element;
        if (!element.to.empty()) return with_pause({Transition::Kind::next, element.to, {}, {}});
    }
    if (status == BatchStatus::failed) return with_pause({Transition::Kind::failed, {}, {}, {}});
    if (ways.next != nullptr && *ways.next) return with_pause({Transition::Kind::next, **ways.next, {}, {}});
    return with_pause({});
}

}  // namespace fermata
