// The test program is its own guard, and a Fermata to be killed: `__owner FILE COMMAND…` locks FILE, runs COMMAND
// guarded with the lock, and waits.
#include "guarded_child.hpp"

#include <fermata/items/guard.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string_view>

namespace {

int run_as_owner(char** arguments) {
    const fermata::File owner = fermata::File::open(arguments[0], O_RDWR | O_CREAT);
    if (!fermata::try_lock(owner.fd())) return 1;
    fermata::ChildPlan plan;
    for (char** word = arguments + 1; *word != nullptr; ++word) plan.argv.emplace_back(*word);
    plan.environment = {"PATH=/usr/bin:/bin"};
    plan.owner_fd = owner.fd();
    const fermata::GuardedChild child(plan);
    while (true) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (verb == fermata::guard_verb) return fermata::guard_main(argc, argv);
    if (verb == "__owner") return run_as_owner(argv + 2);
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
