#pragma once
#include <fermata/jobxml/jobxml.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace fermata::testing_jobxml {

inline std::vector<std::string> texts_of(const Diagnostics& diagnostics) {
    std::vector<std::string> texts;
    for (const auto& diagnostic : diagnostics.all()) texts.push_back(to_string(diagnostic));
    return texts;
}

inline std::vector<std::string> diagnostics_of(std::string_view text) {
    return texts_of(parse_job(text, "job.xml").diagnostics);
}

/// A job that has to parse without a word.
inline JobDefinition parsed(std::string_view text) {
    auto result = parse_job(text, "job.xml");
    for (const auto& diagnostic : result.diagnostics.all()) ADD_FAILURE() << to_string(diagnostic);
    return result.job.value_or(JobDefinition{});
}

inline const std::string head = R"(<job id="j" version="2.0" xmlns="https://jakarta.ee/xml/ns/jakartaee">)";
inline const std::string step = R"(<step id="s"><batchlet ref="b"/></step>)";

}  // namespace fermata::testing_jobxml
