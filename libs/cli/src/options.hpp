#pragma once
// What a verb takes, as data: the parser, the help and the shell completion all read it.
#include <fermata/base/clock.hpp>
#include <fermata/model/status.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata::cli {

/// An execution as people name it: a number, `@latest`, `JOB@latest`.
struct ExecutionRef {
    std::string text;
};
/// `-p K=V`.
using Assignment = std::pair<std::string, std::string>;

enum class Completes : std::uint8_t {
    nothing,
    execution,
    running_step,
    step,   ///< of the execution named before
    point,  ///< where that execution waits, or may
    job,    ///< that can be started
    recorded_job,
    file,
    artifact,
    choice
};

struct Option {
    std::string names;  ///< "-p,--param"; a positional has one name without dashes, "ID"
    std::string value;  ///< what its value is called, "K=V"; empty = a flag
    std::string about;
    bool required = false;
    bool repeatable = false;
    std::vector<std::string> choices;
    bool in_any_case = false;                   ///< of the choices
    std::map<std::string, std::string> advice;  ///< remedies for words that are tried and are no choice
    std::string needs;  ///< "a name": what an empty value is not; empty itself if it may be empty
    Completes completes = Completes::nothing;
    /// Takes one value as typed ("" for a flag); called once a value. Throws Error(usage).
    std::function<void(const std::string&)> set;

    Option& require() {
        required = true;
        return *this;
    }
    Option& complete(Completes what) {
        completes = what;
        return *this;
    }
    Option& one_of(std::vector<std::string> words) {
        choices = std::move(words);
        return complete(Completes::choice);
    }
    /// Of statuses, however they are written.
    Option& statuses(std::vector<std::string> words) {
        in_any_case = true;
        return one_of(std::move(words));
    }
    Option& advise(std::string word, std::string remedy) {
        advice.emplace(std::move(word), std::move(remedy));
        return *this;
    }
    Option& refuse_empty(std::string what) {
        needs = std::move(what);
        return *this;
    }
    [[nodiscard]] bool is_flag() const { return value.empty() && !is_positional(); }
    [[nodiscard]] bool is_positional() const { return names.front() != '-'; }
};

// One overload a type: text as typed -> value. They throw Error(usage) saying what was expected.
void read_value(const std::string& text, std::string& into);
void read_value(const std::string& text, std::int64_t& into);
void read_value(const std::string& text, Duration& into);
void read_value(const std::string& text, Timestamp& into);  ///< see local_time.hpp; or "24h": that long ago
void read_value(const std::string& text, std::filesystem::path& into);
void read_value(const std::string& text, ExecutionRef& into);
void read_value(const std::string& text, Assignment& into);
void read_value(const std::string& text, BatchStatus& into);
template <class T>
void read_value(const std::string& text, std::optional<T>& into) {
    read_value(text, into.emplace());
}
template <class T>
void read_value(const std::string& text, std::vector<T>& into) {
    read_value(text, into.emplace_back());
}

/// Targets are members of the command and outlive this.
class Options {
public:
    Option& flag(std::string names, bool& target, std::string about);
    template <class T>
    Option& value(std::string names, std::string placeholder, T& target, std::string about) {
        Option option = described(std::move(names), std::move(placeholder), std::move(about), target);
        option.set = [&target](const std::string& text) { read_value(text, target); };
        return add(std::move(option));
    }
    /// Positional, in the order of the calls; a vector takes all that are left.
    template <class T>
    Option& positional(std::string name, T& target, std::string about) {
        return value(std::move(name), {}, target, std::move(about));
    }
    [[nodiscard]] const std::vector<Option>& all() const { return options_; }

private:
    template <class T>
    static Option described(std::string names, std::string placeholder, std::string about, const T&) {
        return {.names = std::move(names), .value = std::move(placeholder), .about = std::move(about)};
    }
    template <class T>
    static Option described(std::string names, std::string placeholder, std::string about, const std::vector<T>&) {
        return {
            .names = std::move(names), .value = std::move(placeholder), .about = std::move(about), .repeatable = true};
    }
    Option& add(Option option);
    std::vector<Option> options_;
};

}  // namespace fermata::cli
