#pragma once
// The elements of one XML text with the places of everything that can be wrong in them. Knows nothing of jobs.
#include "attribute_places.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::jobxml {

struct Name {
    std::string space;  ///< namespace, empty if none
    std::string local;
};

struct Attribute {
    Name name;
    std::string value;
    AttributePlace place;
};

struct Element {
    Name name;
    std::vector<Attribute> attributes;
    std::vector<Element> children;
    std::size_t begin = 0;            ///< of its '<' in the text
    std::optional<std::size_t> text;  ///< where its first text begins that is not white space

    [[nodiscard]] const Attribute* find(std::string_view attribute) const;  ///< without namespace
};

inline constexpr int max_depth = 64;

/// The root element of a UTF-8 text; nothing, and `wrong` says where and why, if it is not well-formed or refused.
struct Document {
    struct Wrong {
        std::size_t offset;
        std::string message;
    };
    std::optional<Element> root;
    std::optional<Wrong> wrong;
};
[[nodiscard]] Document read_document(const std::string& text);

}  // namespace fermata::jobxml
