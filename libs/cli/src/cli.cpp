#include <fmt/format.h>
#include <unistd.h>
#include <fermata/cli/cli.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "complete.hpp"
#include "error_report.hpp"
#include "global_options.hpp"
#include "help.hpp"
#include "parser.hpp"
#include "session.hpp"
#include "terminal.hpp"

namespace fermata::cli {

namespace {

using Arguments = std::vector<std::string>;

/// Before the arguments are understood, errors about them too are wanted in the format they ask for.
bool asks_for_json(const Arguments& arguments) {
    std::string_view before;
    for (const std::string_view word : arguments) {
        const bool is_value = before == "-o" || before == "--output";
        for (const std::string_view format : {"json", "jsonl"})
            if ((is_value && word == format) || word == fmt::format("--output={}", format) ||
                word == fmt::format("-o{}", format))
                return true;
        before = word;
    }
    return false;
}

/// A reader of our output that goes away must not kill a running job; write errors are looked at instead. A handler,
/// not SIG_IGN, since children would inherit that.
void survive_broken_pipes() {
    std::signal(SIGPIPE, [](int) {});
}

ExitCode print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return ExitCode::ok;
}

ExitCode print_help(const Invocation& invocation, const Options& global) {
    if (invocation.descriptor == nullptr) return print(help_of_all(global));
    Options own;
    invocation.command->describe(own);
    return print(help_of(*invocation.descriptor, own, global));
}

void require_format(const Descriptor& verb, Format format) {
    if ((verb.formats & bit(format)) != 0) return;
    std::string has;
    for (const Format known : {Format::table, Format::json, Format::jsonl, Format::tsv, Format::name})
        if ((verb.formats & bit(known)) != 0) has += fmt::format("{}{}", has.empty() ? "" : ", ", to_string(known));
    throw Error(ErrorKind::usage, fmt::format("{} has no -o {}", verb.name, to_string(format)),
                fmt::format("it has: {}", has));
}

/// Hidden, for the shells; its words are not parsed, since they are not finished.
ExitCode print_completions(const Arguments& words, const Application& application) {
    GlobalOptions given;
    Options global;
    given.describe(global);
    Session session(application, given.settings(), Output(Format::name, {}));
    for (const auto& word : completions(session, {words.begin() + 1, words.end()}, global)) print(word + "\n");
    return ExitCode::ok;
}

ExitCode perform(const Arguments& arguments, const Application& application) {
    if (!arguments.empty() && arguments.front() == "__complete") return print_completions(arguments, application);
    GlobalOptions given;
    Options global;
    given.describe(global);
    const Invocation invocation = parse(arguments, global);
    if (invocation.help) return print_help(invocation, global);
    if (invocation.version) return print(fmt::format("fermata {}\n", application.version));
    if (invocation.descriptor == nullptr)
        throw Error(ErrorKind::usage, "no command given", "fermata --help lists the commands");
    require_format(*invocation.descriptor, given.format());
    Settings settings = given.settings();
    const Style style = style_for(STDOUT_FILENO, settings, given.ascii);
    Session session(application, std::move(settings), Output(given.format(), style), given.system());
    const ExitCode code = invocation.command->run(session);
    session.out().flush();
    session.close();
    return code;
}

}  // namespace

int run(int argc, char** argv, const Application& application) {
    const Arguments arguments(argv + std::min(argc, 1), argv + argc);
    survive_broken_pipes();
    try {
        return static_cast<int>(perform(arguments, application));
    } catch (const std::exception& error) {
        std::fflush(stdout);
        return static_cast<int>(report_error(error, asks_for_json(arguments)));
    }
}

}  // namespace fermata::cli
