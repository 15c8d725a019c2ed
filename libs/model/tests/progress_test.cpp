#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/model/records.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace fermata {
namespace {

Progress full() {
    Progress p{.generation = 1,
               .sequence = 2,
               .metrics = {.read = 3,
                           .written = 4,
                           .filtered = 5,
                           .read_skips = 6,
                           .process_skips = 7,
                           .write_skips = 8,
                           .commits = 9,
                           .rollbacks = 10},
               .reader = "offset 12",
               .writer = "",
               .side_outputs = R"({"rejects.csv": 5})",
               .skips_used = 11,
               .retries_used = 12,
               .replay_left = 13,
               .user_data = std::string("\0\xff bytes", 8),
               .exit_status = "GOOD",
               .exhausted = true,
               .publishing = true};
    return p;
}

void expect_unreadable(std::string_view text) {
    try {
        static_cast<void>(decode_progress(text));
        ADD_FAILURE() << "was read: " << text;
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::refused);
        EXPECT_THAT(error.what(), testing::StartsWith("checkpoint unreadable at byte "));
        EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
        EXPECT_FALSE(error.remedy().empty());
    }
}

TEST(Progress, NothingYetIsShort) { EXPECT_EQ(encode(Progress{}), "F1 0 0 0 0 0 0 0 0 0 0 0 0 0 - - - - - 00"); }

TEST(Progress, EveryFieldIsKept) {
    EXPECT_EQ(encode(full()),
              "F1 1 2 3 4 5 6 7 8 9 10 11 12 13 t9:offset 12 t0: t18:{\"rejects.csv\": 5} "
              "x8:00ff206279746573 t4:GOOD 11");
    EXPECT_EQ(decode_progress(encode(full())), full());
    EXPECT_EQ(decode_progress(encode(Progress{})), Progress{});
}

TEST(Progress, AnUnservedPauseIsOneTextMore) {
    Progress p;
    p.pause = "{}";
    EXPECT_EQ(encode(p), encode(Progress{}) + " t2:{}");
    EXPECT_EQ(decode_progress(encode(p)), p);
}

TEST(Progress, ExtremeNumbersAndAnyBytesAreKept) {
    Progress p;
    p.sequence = std::numeric_limits<std::int64_t>::max();
    p.generation = std::numeric_limits<std::int64_t>::min();
    std::string every_byte;
    for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
    p.reader = every_byte;
    p.writer = "ünï t5: - \n";
    EXPECT_EQ(decode_progress(encode(p)), p);
    EXPECT_TRUE(is_utf8(encode(p)));
    EXPECT_EQ(encode(p).find('\0'), std::string::npos);
}

TEST(Progress, EachFlagStandsForItself) {
    for (const bool exhausted : {false, true}) {
        for (const bool publishing : {false, true}) {
            Progress p;
            p.exhausted = exhausted;
            p.publishing = publishing;
            EXPECT_EQ(decode_progress(encode(p)), p);
        }
    }
}

TEST(Progress, EveryPrefixIsRefused) {
    const auto text = encode(full());
    for (std::size_t length = 0; length < text.size(); ++length) expect_unreadable(text.substr(0, length));
}

TEST(Progress, WhatIsNotACheckpointIsRefused) {
    const std::string numbers = "F1 1 2 3 4 5 6 7 8 9 10 11 12 13";
    expect_unreadable("{\"generation\": 1}");
    expect_unreadable("F2 1");
    expect_unreadable("F1 x");
    expect_unreadable("F1 9223372036854775808");
    expect_unreadable(numbers + " t9223372036854775807:x - - - - 00");
    expect_unreadable(numbers + " t-1:x - - - - 00");
    expect_unreadable(numbers + " x1:zz - - - - 00");
    expect_unreadable(numbers + " x9:00 - - - - 00");
    expect_unreadable(numbers + " t1x - - - - 00");
    expect_unreadable(numbers + " q - - - - 00");
    expect_unreadable(numbers + " - - - - - 02");
    expect_unreadable(numbers + " - - - - - 2");
    expect_unreadable(encode(full()) + " ");
}

TEST(Progress, DamagedTextIsReadOrRefusedButNeverWorse) {
    std::mt19937 random(42);
    for (int round = 0; round < 5000; ++round) {
        auto text = encode(full());
        for (int changes = 0; changes < 3; ++changes) text[random() % text.size()] = static_cast<char>(random());
        try {
            const auto read = decode_progress(text);
            EXPECT_EQ(decode_progress(encode(read)), read);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::refused);
        }
    }
}

}  // namespace
}  // namespace fermata
