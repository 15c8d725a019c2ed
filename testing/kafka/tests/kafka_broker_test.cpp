#include <fermata/testing/kafka_topic.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace fermata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class KafkaBrokerTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto reason = KafkaBroker::missing()) GTEST_SKIP() << *reason;
    }
};

TEST_F(KafkaBrokerTest, WhatIsSentIsThere) {
    KafkaTopic topic(2);
    topic.send({{.partition = 1, .key = "k", .value = "one", .headers = {{"a", "b"}}, .timestamp = 1234},
                {.partition = 0, .value = std::nullopt}});
    topic.send_in_transaction({{.value = "lost"}}, false);
    const auto found = topic.read();
    ASSERT_EQ(2U, found.size());
    EXPECT_FALSE(found[0].key || found[0].value);
    EXPECT_EQ("k", found[1].key);
    EXPECT_EQ("one", found[1].value);
    EXPECT_EQ(1234, found[1].timestamp);
    EXPECT_THAT(found[1].headers, ElementsAre(Pair("a", "b")));
    topic.forget_before(1, 1);
    EXPECT_EQ(1U, topic.read().size());
    topic.remove();
    EXPECT_THROW(topic.send({.value = "x"}), std::runtime_error);
}

/// The broker's process, found by its folder, which its command line names.
bool lives(const std::filesystem::path& folder) {
    for (const auto& process : std::filesystem::directory_iterator("/proc")) {
        std::ifstream file(process.path() / "cmdline");
        const std::string words{std::istreambuf_iterator<char>(file), {}};
        if (words.starts_with("java") && words.find(folder.string()) != std::string::npos) return true;
    }
    return false;
}

/// What the child of the test below does; the folder of its broker goes to `answer`.
void kill_broker_then_oneself(int answer) {
    KafkaBroker broker;
    const std::string folder = broker.certificate().parent_path();
    KafkaTopic topic(1, broker);
    topic.send({.value = "one"});
    broker.kill();
    if (lives(folder)) return;
    broker.start();
    topic.send({.value = "two"});
    if (topic.read().size() != 2) return;
    if (::write(answer, folder.data(), folder.size()) > 0) ::raise(SIGKILL);
}

TEST_F(KafkaBrokerTest, OneOfItsOwnKeepsItsMessagesWhenKilledAndIsGoneWithTheTestProcess) {
    int ends[2];
    ASSERT_EQ(0, ::pipe(ends));
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        kill_broker_then_oneself(ends[1]);
        ::_exit(1);
    }
    ::close(ends[1]);
    char folder[200] = {};
    ASSERT_LT(0, ::read(ends[0], folder, sizeof folder - 1));
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::filesystem::exists(folder) && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_FALSE(std::filesystem::exists(folder) || lives(folder)) << folder;
}

}  // namespace
}  // namespace fermata::testing
