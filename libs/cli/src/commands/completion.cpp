#include "../command.hpp"
#include "../session.hpp"

#include <fmt/format.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(  bash:  source <(fermata completion bash)
  zsh:   source <(fermata completion zsh)
  fish:  fermata completion fish | source
)";

// Each asks `fermata __complete WORD…`, whose last word is the one being written.
constexpr std::string_view bash = R"(_fermata() {
    local IFS=$'\n'
    COMPREPLY=($(fermata __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    [[ ${COMPREPLY[0]} == __files ]] && COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _fermata fermata
)";
constexpr std::string_view zsh = R"(#compdef fermata
_fermata() {
    local -a found
    found=("${(@f)$(fermata __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ ${found[1]} == __files ]]; then _files; else compadd -a found; fi
}
compdef _fermata fermata
)";
constexpr std::string_view fish = R"(function __fermata
    set -l words (commandline -opc) (commandline -ct)
    set -l found (fermata __complete $words[2..] 2>/dev/null)
    if test "$found[1]" = __files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $found
    end
end
complete -c fermata -f -a '(__fermata)'
)";

class CompletionCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("SHELL", shell_, "bash, zsh or fish").require().one_of({"bash", "zsh", "fish"});
    }
    ExitCode run(Session& session) override {
        session.out().write(shell_ == "bash" ? bash : shell_ == "zsh" ? zsh : fish);
        return ExitCode::ok;
    }

private:
    std::string shell_;
};

}  // namespace

const Descriptor completion_command{.name = "completion",
                                    .group = "Housekeeping",
                                    .about = "A shell's completion of commands, options, executions and jobs",
                                    .help = help,
                                    .make = make_command<CompletionCommand>};

}  // namespace fermata::cli
