#pragma once
#include <stdexcept>
#include <utility>

namespace fermata::testing {

/// Runs `call` and answers what it threw; anything but an E fails the test.
template <class E, class Call>
E thrown_by(Call&& call) {
    try {
        std::forward<Call>(call)();
    } catch (const E& error) {
        return error;
    }
    throw std::logic_error("nothing was thrown");
}

}  // namespace fermata::testing
