// Any program that has this library in it can be the guard of a command, whatever its own main does: the guard is the
// program's own executable (items/guard.hpp), and a main that did not know would do its work once more in its place.
#include <fermata/items/guard.hpp>

#include <string_view>

#include <unistd.h>

namespace fermata {
namespace {

/// Called by the loader with the arguments of main, before that and before the program's own global objects are made;
/// nothing of it is to be undone at the end.
[[gnu::constructor]] void become_guard_if_asked(int argc, char** argv) {
    if (argc > 1 && argv[1] == std::string_view(guard_verb)) ::_exit(guard_main(argc, argv));
}

}  // namespace
}  // namespace fermata
