#pragma once
// Byte offsets of a text to lines and columns. Our own, since an editor, expat and the columns inside of an attribute
// must agree: bytes from 1, lines end with LF, CR or CRLF.
#include <fermata/model/diagnostic.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace fermata::jobxml {

class Lines {
public:
    explicit Lines(std::string_view text);
    [[nodiscard]] Position at(std::size_t offset) const;

private:
    std::vector<std::size_t> begins_;
};

}  // namespace fermata::jobxml
