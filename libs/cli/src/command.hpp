#pragma once
// A verb of the command line: data about it, what it takes, and what it does. One file each in commands/.
#include "exit_code.hpp"
#include "options.hpp"
#include "output.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::cli {

class Session;

class Command {
public:
    virtual ~Command() = default;
    virtual void describe(Options& options) = 0;
    virtual ExitCode run(Session& session) = 0;
    /// What stood after `--`; only a verb that says so takes any.
    std::vector<std::string> rest;
};

/// The formats a verb has; what it has not is refused, never ignored.
using Formats = unsigned;
[[nodiscard]] constexpr Formats bit(Format format) { return 1U << static_cast<unsigned>(format); }
inline constexpr Formats text_only = bit(Format::table);
inline constexpr Formats one_object = text_only | bit(Format::json) | bit(Format::jsonl) | bit(Format::name);
inline constexpr Formats one_a_line = text_only | bit(Format::json) | bit(Format::jsonl);
inline constexpr Formats all_formats = one_object | bit(Format::tsv);

struct Descriptor {
    std::string_view name;
    std::string_view group;  ///< heading in `fermata --help`; empty = not listed
    std::string_view about;  ///< one line
    std::string_view help;   ///< paragraphs and examples after the options
    bool takes_rest = false;
    Formats formats = text_only;
    std::unique_ptr<Command> (*make)() = nullptr;
};

template <class C>
std::unique_ptr<Command> make_command() {
    return std::make_unique<C>();
}

extern const Descriptor run_command, exec_command, start_command, restart_command, recover_command, stop_command,
    abandon_command;
extern const Descriptor pause_command, resume_command, signal_command;
extern const Descriptor list_command, show_command, logs_command, watch_command, wait_command, events_command;
extern const Descriptor validate_command, explain_command, graph_command, artifacts_command, jobs_command;
extern const Descriptor worker_command, workers_command;
extern const Descriptor purge_command, db_command, config_command, doctor_command, completion_command;
/// In the order of `fermata --help`.
[[nodiscard]] std::span<const Descriptor* const> descriptors();

}  // namespace fermata::cli
