#pragma once
// What tests of item formats need around an artifact: a folder that goes away, properties, contexts, a chunk of
// records.
#include <fermata/batch/registry.hpp>
#include <fermata/testing/temp_folder.hpp>

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fermata::items {

class TemporaryFolder : public testing::TempFolder {
public:
    std::filesystem::path write(const std::string& name, std::string_view content) const {
        std::ofstream(path() / name, std::ios::binary) << content;
        return path() / name;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream file(path() / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path())) found.push_back(entry.path().filename());
        std::sort(found.begin(), found.end());
        return found;
    }
};

inline Properties properties(const std::vector<std::pair<std::string, std::string>>& values,
                             const std::string& owner = "artifact") {
    ResolvedProperties resolved;
    for (const auto& [name, value] : values) {
        ResolvedProperty property{.name = name};
        property.value = Text(value);
        resolved.push_back(std::move(property));
    }
    return {owner, "job.xml", std::move(resolved)};
}

/// An artifact's surroundings: relative paths mean `folder`.
class Surroundings {
public:
    explicit Surroundings(const std::filesystem::path& folder) {
        job_.instance_uuid = "7d4f4c60-0000-4000-8000-000000000001";
        job_.working_directory = folder;
        step_.step_name = "load";
        step_.job = &job_;
    }
    void stop_by(const StopSignal& stop) { step_.stop = &stop; }
    void accept_input() { job_.accept_input = true; }
    [[nodiscard]] ArtifactContext context(const Properties& of) { return {of, &step_, job_}; }
    [[nodiscard]] ArtifactContext job_context(const Properties& of) { return {of, nullptr, job_}; }

private:
    JobContext job_;
    StepContext step_;
};

/// A transaction of a sink that needs none.
class NoTransaction final : public Transaction {
public:
    sql::Connection& connection() override { throw Error(ErrorKind::refused, "no database"); }
};

/// The message of the Error that `action` throws; its kind must be `kind`.
template <class Action>
std::string message_of(ErrorKind kind, Action action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}
template <class E, class Action>
std::string message_of(Action action) {
    try {
        action();
    } catch (const E& error) {
        return error.what();
    } catch (const std::exception& error) {
        ADD_FAILURE() << "another exception: " << error.what();
        return {};
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

/// What kind of Error `action` throws in a child that has given away root's rights, before which no permission counts.
template <class Action>
std::optional<ErrorKind> unprivileged(Action action) {
    constexpr int nothing = 100;
    constexpr int other = 101;
    constexpr unsigned nobody = 65534;
    const pid_t child = ::fork();
    if (child == 0) {
        int answer = nothing;
        try {
            if (::getuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) ::_exit(other);
            action();
        } catch (const Error& error) {
            answer = static_cast<int>(error.kind());
        } catch (...) {
            answer = other;
        }
        ::_exit(answer);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != other) << status;
    if (!WIFEXITED(status) || WEXITSTATUS(status) >= nothing) return std::nullopt;
    return static_cast<ErrorKind>(WEXITSTATUS(status));
}

}  // namespace fermata::items
