// The corpus as an ordinary test: what a fuzzer once found stays found.
#include <fermata/base/file.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

TEST(JobXmlFuzz, EveryInputOfTheCorpusIsParsedOrTold) {
    int inputs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(CORPUS)) {
        SCOPED_TRACE(entry.path().filename());
        const auto text = fermata::read_file(entry.path());
        EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), 0);
        ++inputs;
    }
    EXPECT_GT(inputs, 0);
}

}  // namespace
