// What error listeners are handed. Disabled upstream.
#include "suite.hpp"

namespace fermata::tck {
namespace {

class ListenerOnErrorTests : public Suite {};

TEST_F(ListenerOnErrorTests, testOnWriteErrorItems) {
    expect_end(run("listenerOnError", {{"write.fail", "14"}}), BatchStatus::failed, "[10, 12, 14, 16, 18]");
}
TEST_F(ListenerOnErrorTests, testOnProcessErrorItems) {
    expect_end(run("listenerOnError", {{"process.fail", "8"}}), BatchStatus::failed, "8");
}

}  // namespace
}  // namespace fermata::tck
