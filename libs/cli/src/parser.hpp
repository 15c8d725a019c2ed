#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "options.hpp"

namespace fermata::cli {

/// What the command line asks for, every value typed.
struct Invocation {
    const Descriptor* descriptor = nullptr;  ///< null: no verb (only --help and --version need none)
    std::unique_ptr<Command> command;
    bool help = false;
    bool version = false;
};

/// `arguments` without the program's name. Options of `global` may stand before or after the verb. Throws
/// Error(usage) naming what is wrong, with did-you-mean.
[[nodiscard]] Invocation parse(const std::vector<std::string>& arguments, const Options& global);

}  // namespace fermata::cli
