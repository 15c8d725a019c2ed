// The small types that live in headers: ids, errors, values, stop signals, guarded data.
#include <fermata/base/error.hpp>
#include <fermata/base/id.hpp>
#include <fermata/base/stop_signal.hpp>
#include <fermata/base/sync.hpp>
#include <fermata/base/value.hpp>

#include <gmock/gmock.h>

#include <array>
#include <set>
#include <thread>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace fermata {
namespace {

struct Apple;
struct Pear;
using AppleId = Id<Apple>;
static_assert(!std::is_convertible_v<AppleId, Id<Pear>> && !std::is_convertible_v<std::int64_t, AppleId>);

TEST(Id, IsNoneByDefaultComparesAndHashes) {
    EXPECT_FALSE(AppleId());
    EXPECT_TRUE(AppleId(7));
    EXPECT_EQ(AppleId(7).value(), 7);
    EXPECT_LT(AppleId(7), AppleId(8));
    EXPECT_EQ((std::unordered_set<AppleId>{AppleId(7), AppleId(7), AppleId(8)}.size()), 2U);
}

TEST(NewUuid, IsRandomVersion4) {
    const std::string form = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(new_uuid());
    EXPECT_EQ(seen.size(), 1000U);
    for (const auto& uuid : seen) EXPECT_THAT(uuid, testing::MatchesRegex(form));
}

TEST(Error, CarriesKindMessageAndRemedy) {
    const Error error(ErrorKind::conflict, "it runs", "stop it first");
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_STREQ(error.what(), "it runs");
    EXPECT_EQ(error.remedy(), "stop it first");
    EXPECT_FALSE(error.is_transient());
}

TEST(ItemError, CarriesWhereAndWhat) {
    const ParseError error("3 columns instead of 8", "vendors.csv:612", "a,b,c");
    const ItemError& base = error;
    EXPECT_EQ(base.kind(), ErrorKind::failed);
    EXPECT_EQ(base.position(), "vendors.csv:612");
    EXPECT_EQ(base.raw(), "a,b,c");
}

TEST(Value, IsWhatItWasMadeFrom) {
    EXPECT_TRUE(Value().is_null());
    EXPECT_TRUE(Value(nullptr).is_null());
    EXPECT_EQ(Value(true).kind(), Value::Kind::boolean);
    EXPECT_TRUE(Value(true).boolean());
    EXPECT_FALSE(Value(false).boolean());
    EXPECT_EQ(Value(7).integer(), 7);
    EXPECT_EQ(Value(std::int64_t{-7}).kind(), Value::Kind::integer);
    EXPECT_EQ(Value(0.5).real(), 0.5);
    EXPECT_EQ(Value("text").text(), "text");
    EXPECT_EQ(Value(std::string_view("te\0t", 4)).text().size(), 4U);
    const std::array bytes{std::byte{1}, std::byte{2}};
    const Value blob{std::span<const std::byte>(bytes)};
    EXPECT_EQ(blob.kind(), Value::Kind::bytes);
    EXPECT_EQ(blob.bytes().data(), bytes.data());
    EXPECT_EQ(blob.bytes().size(), 2U);
}

TEST(StopSignal, KeepsTheFirstReason) {
    StopSignal stop;
    EXPECT_FALSE(stop.requested());
    EXPECT_TRUE(stop.request(StopReason::operator_asked));
    EXPECT_FALSE(stop.request(StopReason::interrupted));
    EXPECT_TRUE(stop.requested());
    EXPECT_EQ(stop.reason(), StopReason::operator_asked);
    EXPECT_TRUE(stop.token().stop_requested());
    EXPECT_FALSE(stop.now());
    EXPECT_FALSE(stop.urgent_token().stop_requested());
}

TEST(StopSignal, MayBecomeUrgentLater) {
    StopSignal stop;
    int urgent_calls = 0;
    const std::stop_callback count(stop.urgent_token(), [&] { ++urgent_calls; });
    stop.request(StopReason::operator_asked);
    EXPECT_EQ(urgent_calls, 0);
    stop.request_now(StopReason::interrupted);
    stop.request_now(StopReason::interrupted);
    EXPECT_EQ(urgent_calls, 1);
    EXPECT_TRUE(stop.now());
    EXPECT_EQ(stop.reason(), StopReason::operator_asked);
}

TEST(Sync, LetsOneThreadInAtATime) {
    Sync<std::vector<int>> numbers;
    const auto add = [&] {
        for (int i = 0; i < 1000; ++i) numbers.lock()->push_back(i);
    };
    {
        const std::jthread first(add);
        const std::jthread second(add);
    }
    auto access = numbers.lock();
    EXPECT_EQ((*access).size(), 2000U);
    EXPECT_TRUE(access.unique().owns_lock());
    EXPECT_EQ(*Sync<int>(7).lock(), 7);
}

}  // namespace
}  // namespace fermata
