#include <fermata/testing/postgres_guard.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace fermata::testing {
namespace {

struct Pipe {
    Pipe() {
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    }
    int ends[2] = {-1, -1};
};

pid_t spawn(std::vector<std::string> arguments, int in, int out) {
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, words.front(), &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::system_error(error, std::generic_category(), words.front());
    return pid;
}

}  // namespace

PostgresGuard::PostgresGuard(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {FERMATA_POSTGRES_CLUSTER, "run"});
    const Pipe commands;
    const Pipe answers;
    commands_ = ::fdopen(commands.ends[1], "w");
    answers_ = ::fdopen(answers.ends[0], "r");
    pid_ = spawn(std::move(arguments), commands.ends[0], answers.ends[1]);
    ::close(commands.ends[0]);
    ::close(answers.ends[1]);
    try {
        folder_ = answer("ready ");
    } catch (...) {
        end();
        throw;
    }
}

PostgresGuard::~PostgresGuard() { end(); }

void PostgresGuard::end() noexcept {
    std::fclose(commands_);
    std::fclose(answers_);
    ::waitpid(pid_, nullptr, 0);
}

void PostgresGuard::obey(const std::string& command) {
    if (std::fprintf(commands_, "%s\n", command.c_str()) < 0 || std::fflush(commands_) != 0)
        throw std::runtime_error("the guard of PostgreSQL is gone");
    (void)answer("ok");
}

/// What follows `good` in the next line.
std::string PostgresGuard::answer(const char* good) {
    std::string line;
    for (int c = 0; (c = std::fgetc(answers_)) != EOF && c != '\n';) line += static_cast<char>(c);
    if (!line.starts_with(good)) throw std::runtime_error(line.empty() ? "the guard of PostgreSQL died" : line);
    return line.substr(std::string_view(good).size());
}

}  // namespace fermata::testing
