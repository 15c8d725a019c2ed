#pragma once
// Where the attributes of a start tag stand in the text, which expat does not tell.
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata::jobxml {

/// One attribute as it is written. `folds` has the offset in the value and in the text behind every place where the two
/// stop running in step: a reference (&lt;) or a CRLF is one character of the value.
struct AttributePlace {
    std::size_t name = 0;
    std::size_t value = 0;
    std::vector<std::pair<std::size_t, std::size_t>> folds;

    /// Where the byte at `offset` of the value stands in the text.
    [[nodiscard]] std::size_t in_text(std::size_t offset) const;
};

/// The attributes of the well-formed start tag at `tag`, in order, without namespace declarations.
[[nodiscard]] std::vector<AttributePlace> attribute_places(std::string_view text, std::size_t tag);

}  // namespace fermata::jobxml
