#pragma once
// The guard: a small process between Fermata and every command it runs, so that a command and all its descendants never
// outlive Fermata, however Fermata dies. It is the same executable with the hidden verb `__guard`.
//
// The guard holds the read end of a pipe whose only write end is Fermata's. When that pipe ends it kills every
// descendant (it is their subreaper, so none can escape by forking, setsid or a dead parent) and exits last; until then
// it keeps Fermata's owner lock, which it inherited. If Fermata and the guard are killed together, the kernel still
// kills the command itself (PDEATHSIG), but not what the command started.
#include <filesystem>

namespace fermata {

/// Verb by which the executable becomes a guard. A program that links libfermata.so does so before its main is called
/// (libs/fermata/src/guard_entry.cpp); others dispatch it there before anything else:
///     if (argc > 1 && argv[1] == std::string_view(fermata::guard_verb)) return fermata::guard_main(argc, argv);
inline constexpr const char* guard_verb = "__guard";

/// Runs as the guard described by its arguments and inherited descriptors; returns the process's exit code. Single
/// thread; must be called before any other thread is started.
int guard_main(int argc, char** argv);

/// The executable started as guard: this very one (/proc/self/exe, right even after an upgrade replaced the file). A
/// program that does not become a guard by guard_verb sets it, before the first step runs, to one that does: else its
/// main would run again in the place of each guard.
std::filesystem::path& guard_executable();

}  // namespace fermata
