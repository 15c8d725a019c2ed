#include <fermata/testing/server_guard.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace fermata::testing {
namespace {

constexpr std::string_view ready = "ready ";

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

ServerGuard::ServerGuard(std::string program, std::vector<std::string> arguments) : program_(std::move(program)) {
    arguments.insert(arguments.begin(), {program_, "run"});
    const Pipe commands;
    const Pipe answers;
    commands_ = ::fdopen(commands.ends[1], "w");
    answers_ = ::fdopen(answers.ends[0], "r");
    pid_ = spawn(std::move(arguments), commands.ends[0], answers.ends[1]);
    ::close(commands.ends[0]);
    ::close(answers.ends[1]);
    try {
        address_ = answer(ready);
    } catch (...) {
        end();
        throw;
    }
}

ServerGuard::~ServerGuard() { end(); }

void ServerGuard::end() noexcept {
    std::fclose(commands_);
    std::fclose(answers_);
    ::waitpid(pid_, nullptr, 0);
}

void ServerGuard::obey(const std::string& command) {
    if (std::fprintf(commands_, "%s\n", command.c_str()) < 0 || std::fflush(commands_) != 0)
        throw std::runtime_error(program_ + " is gone");
    (void)answer("ok");
}

/// What follows `good` in the next line.
std::string ServerGuard::answer(std::string_view good) {
    std::string line;
    for (int c = 0; (c = std::fgetc(answers_)) != EOF && c != '\n';) line += static_cast<char>(c);
    if (!line.starts_with(good)) throw std::runtime_error(line.empty() ? program_ + " died" : line);
    return line.substr(good.size());
}

std::optional<std::string> address_of_ctest(const char* variable) {
    const char* states = std::getenv(variable);
    if (states == nullptr) return std::nullopt;
    std::ifstream state(std::filesystem::path(states) / std::to_string(::getppid()));
    std::string answer;
    if (!std::getline(state, answer)) return std::nullopt;
    if (!answer.starts_with(ready)) throw std::runtime_error(answer);
    return answer.substr(ready.size());
}

std::optional<std::string> missing_server(const std::function<void()>& use) {
    constexpr std::string_view missing = "missing ";
    try {
        use();
        return std::nullopt;
    } catch (const std::runtime_error& error) {
        const std::string_view words = error.what();
        if (words.starts_with(missing)) return std::string(words.substr(missing.size()));
        throw;
    }
}

}  // namespace fermata::testing
