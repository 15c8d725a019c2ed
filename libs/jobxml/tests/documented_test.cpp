// docs/job-xml.md and the grammar: the table names every element with its attributes and nothing else, and each of them
// stands in an example. tests/docs and libs/runtime/tests/documented_test.cpp run the examples.
#include "grammar.hpp"

#include <fermata/base/file.hpp>

#include <gmock/gmock.h>

#include <map>
#include <regex>
#include <set>

namespace fermata::jobxml {
namespace {

using Attributes = std::map<std::string, std::set<std::string>>;  ///< by element

std::string guide() { return read_file(FERMATA_SOURCE_DIR "/docs/job-xml.md"); }

std::vector<std::smatch> all(const std::string& text, const std::regex& pattern) {
    return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

std::set<std::string> quoted_in(const std::string& text) {
    static const std::regex quoted("`([^`]*)`");
    std::set<std::string> found;
    for (const std::smatch& match : all(text, quoted)) found.insert(match[1]);
    return found;
}

Attributes of_the_grammar() {
    Attributes found;
    for (const ElementRule& rule : all_rules()) {
        auto& names = found[std::string(rule.name)];
        for (const std::string& name : rule.attribute_names()) names.insert(name);
    }
    return found;
}

/// The rows of the table under "Every element": elements, their attributes, what they hold.
Attributes of_the_table() {
    const std::string text = guide();
    const std::size_t begin = text.find("## Every element");
    const std::string table = text.substr(begin, text.find("\n## ", begin + 1) - begin);
    static const std::regex row(R"(\n\| (`[^|]*) \|([^|]*)\|)");
    Attributes found;
    for (const std::smatch& match : all(table, row))
        for (const std::string& element : quoted_in(match[1])) found[element] = quoted_in(match[2]);
    return found;
}

Attributes of_the_examples() {
    static const std::regex block("```xml( program)?\n([^`]*)```");
    static const std::regex tag(R"(<([a-z:-]+)((\s+[a-z:-]+="[^"]*")*)\s*/?>)");
    static const std::regex attribute(R"(([a-z:-]+)=")");
    const std::string text = guide();
    Attributes found;
    for (const std::smatch& example : all(text, block)) {
        const std::string xml = example[2];
        for (const std::smatch& element : all(xml, tag)) {
            auto& names = found[element[1]];
            const std::string attributes = element[2];
            for (const std::smatch& name : all(attributes, attribute)) names.insert(name[1]);
        }
    }
    return found;
}

TEST(Documented, TheTableNamesEveryElementAndAttributeAndNoOther) { EXPECT_EQ(of_the_grammar(), of_the_table()); }

TEST(Documented, EveryElementAndAttributeStandsInAnExample) {
    Attributes examples = of_the_examples();
    for (const auto& [element, attributes] : of_the_grammar()) {
        EXPECT_TRUE(examples.contains(element)) << element;
        for (const std::string& attribute : attributes)
            EXPECT_TRUE(examples[element].contains(attribute)) << element << " " << attribute;
    }
}

}  // namespace
}  // namespace fermata::jobxml
