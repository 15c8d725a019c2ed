#pragma once
// "1 instance", "1,234 instances".
#include <fermata/base/text.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace fermata::cli {

[[nodiscard]] inline std::string counted(std::int64_t number, std::string_view what) {
    return with_commas(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

}  // namespace fermata::cli
