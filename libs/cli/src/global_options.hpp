#pragma once
// Options every verb takes.
#include <optional>
#include <string>
#include <vector>

#include <fermata/model/expression.hpp>

#include "options.hpp"
#include "output.hpp"
#include "settings.hpp"

namespace fermata::cli {

struct GlobalOptions {
    std::optional<std::string> repository;
    std::optional<std::string> jobs;
    std::optional<std::string> kafka;
    std::optional<std::string> progress;
    std::vector<Assignment> system_properties;
    std::string output = "table";
    bool no_color = false;
    bool ascii = false;

    void describe(Options& options);
    /// Files, environment, then these.
    [[nodiscard]] Settings settings() const;
    [[nodiscard]] Format format() const;
    /// Throws Error(usage) if one is given twice.
    [[nodiscard]] Parameters system() const;
};

}  // namespace fermata::cli
