#include <fermata/items/file/byte_range.hpp>
#include <fermata/items/file/input_file.hpp>
#include <fermata/items/testing/compressed.hpp>
#include <fermata/items/testing/rig.hpp>

#include <rapidcheck/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace fermata;
using items::gzipped;
using items::gzipped_in_two;
using items::message_of;
using items::TemporaryFolder;
using items::zstandard;
using ::testing::AllOf;
using ::testing::HasSubstr;

namespace {

std::string read_rest(InputFile& file) {
    while (file.more()) {
    }
    const std::string text(file.window());
    file.consume(text.size(), std::count(text.begin(), text.end(), '\n'));
    return text;
}

std::string lines(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "line " + std::to_string(i) + "\n";
    return text;
}

class InputFileTest : public ::testing::Test {
protected:
    InputFile file(std::string_view content, std::size_t block = 7) {
        return InputFile(folder_.write("in", content), block);
    }
    std::string refusal(std::string_view content, const Checkpoint& checkpoint) {
        InputFile changed = file(content);
        return message_of(ErrorKind::refused, [&] { changed.open(checkpoint); });
    }
    Checkpoint after_bytes(std::string_view content, std::int64_t bytes) {
        InputFile input = file(content);
        input.open({});
        input.skip_to(bytes);
        return input.position().to_checkpoint();
    }
    TemporaryFolder folder_;
};

TEST_F(InputFileTest, ReadsPlainAndCompressedContentAlike) {
    const std::string text = lines(1000);
    for (const std::string& content :
         {text, gzipped(text), gzipped_in_two(text), gzipped(text) + std::string(512, '\0'), zstandard(text),
          zstandard(text.substr(0, 99)) + zstandard(text.substr(99))})
        for (const std::size_t block : {1, 3, 64, 1 << 20}) {
            InputFile input = file(content, block);
            input.open({});
            ASSERT_EQ(read_rest(input), text);
            ASSERT_EQ(input.offset(), static_cast<std::int64_t>(text.size()));
            ASSERT_EQ(input.line(), 1001);
            ASSERT_EQ(input.fraction(), 1);
        }
}

TEST_F(InputFileTest, EmptyContentInAnyFormEndsAtOnce) {
    for (const std::string& content : {std::string(), gzipped(""), zstandard("")}) {
        InputFile input = file(content);
        input.open({});
        EXPECT_EQ(read_rest(input), "");
    }
}

TEST_F(InputFileTest, BrokenCompressedDataIsToldOnceAndEndsTheInput) {
    const std::string text = lines(1000);
    for (const std::string& whole : {gzipped(text), zstandard(text)}) {
        InputFile torn = file(whole.substr(0, whole.size() - 5));
        torn.open({});
        EXPECT_THAT(message_of<IoError>([&] { read_rest(torn); }),
                    AllOf(HasSubstr("cannot decompress"), HasSubstr("the file ends too early at byte")));
        EXPECT_FALSE(torn.more());
        torn.open({});
        EXPECT_THAT(message_of<IoError>([&] { read_rest(torn); }), HasSubstr("the file ends too early at byte"));

        std::string damaged = whole;
        for (std::size_t i = whole.size() / 2; i < whole.size() - 8; ++i) damaged[i] = '\x55';
        InputFile wrong = file(damaged);
        wrong.open({});
        EXPECT_THAT(message_of<IoError>([&] { read_rest(wrong); }), HasSubstr("cannot decompress"));
    }
    InputFile trailing = file(gzipped(text) + "garbage");
    trailing.open({});
    EXPECT_THAT(message_of<IoError>([&] { read_rest(trailing); }), HasSubstr("incorrect header check at byte"));
}

TEST_F(InputFileTest, TellsWhatIsNoReadableFile) {
    const auto open = [&](const std::filesystem::path& path) { InputFile(path).open({}); };
    EXPECT_THAT(message_of(ErrorKind::not_found, [&] { open(folder_.path() / "none.csv"); }),
                HasSubstr("none.csv\": there is no such file"));
    EXPECT_THAT(message_of(ErrorKind::not_found, [&] { open(folder_.write("plain", "x") / "below"); }),
                HasSubstr("there is no such file"));
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { open(folder_.path()); }), HasSubstr("it is a folder"));
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { open("/dev/null"); }), HasSubstr("it is not a regular file"));
    EXPECT_THAT(message_of<IoError>([&] { open(folder_.path() / std::string(300, 'x')); }),
                HasSubstr("File name too long"));
}

TEST_F(InputFileTest, TellsWhatItMayNotRead) {
    const auto path = folder_.write("secret", "x");
    ::chmod(path.c_str(), 0);
    ::chmod(folder_.path().c_str(), 0755);
    EXPECT_EQ(items::unprivileged([&] { InputFile(path).open({}); }), ErrorKind::forbidden);
}

TEST_F(InputFileTest, SkipsALineWithoutKeepingIt) {
    InputFile input = file(std::string(100'000, 'x') + "\nnext\n", 64);
    input.open({});
    input.skip_line();
    EXPECT_EQ(input.line(), 2);
    EXPECT_LE(input.window().size(), 128U);
    EXPECT_EQ(read_rest(input), "next\n");
    input.skip_line();
    EXPECT_EQ(input.line(), 3);
}

// --- changed input -------------------------------------------------------------------------------------------------

TEST_F(InputFileTest, GoesOnInAnUnchangedFile) {
    const std::string text = lines(100);
    for (const std::string& content : {text, gzipped(text), zstandard(text)}) {
        const Checkpoint checkpoint = after_bytes(content, 50);
        InputFile input = file(content);  // written again: other times
        input.open(checkpoint);
        EXPECT_EQ(input.offset(), 50);
        EXPECT_EQ(read_rest(input), text.substr(50));
        input.open(checkpoint);
        EXPECT_EQ(read_rest(input), text.substr(50));
    }
}

TEST_F(InputFileTest, TakesACorrectionBehindThePosition) {
    const Checkpoint checkpoint = after_bytes("one\ntwo\nbad\n", 8);
    InputFile input = file("one\ntwo\nold\n");
    input.open(checkpoint);
    EXPECT_EQ(read_rest(input), "old\n");
}

TEST_F(InputFileTest, RefusesAFileOfAnotherSizeWithBothSizes) {
    const Checkpoint checkpoint = after_bytes("one\ntwo\n", 4);
    EXPECT_THAT(refusal("one\ntwo\nthree\n", checkpoint),
                AllOf(HasSubstr("input changed: "), HasSubstr("had 8 bytes at the checkpoint and has 14 now")));
}

TEST_F(InputFileTest, TakesAFileOfAnotherSizeIfThatWasAccepted) {
    const Checkpoint checkpoint = after_bytes("one\ntwo\nbad\n", 8);
    InputFile input = file("one\ntwo\nmended\nfour\n");
    input.accept_change();
    input.open(checkpoint);
    EXPECT_EQ(read_rest(input), "mended\nfour\n");
    // What was read already is looked at all the same.
    InputFile other = file("oNe\ntwo\nmended\n");
    other.accept_change();
    EXPECT_THROW(other.open(checkpoint), Error);
}

TEST_F(InputFileTest, RefusesAFileThatWasDividedWithAnotherSize) {
    InputFile input = file("one\ntwo\nthree\n");
    input.was_divided_at(8);
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { input.open({}); }),
                HasSubstr("had 8 bytes when it was divided into ranges and has 14 now"));
    input.was_divided_at(14);
    input.open({});
    EXPECT_EQ(read_rest(input), "one\ntwo\nthree\n");
    input.was_divided_at(8);
    input.accept_change();
    input.open({});
}

TEST(ByteRangeTest, BeginsAtAnOffsetOrAtOneInAFileOfASize) {
    const auto of = [](const std::string& text) { return ByteRange::of(items::properties({{"start", text}})); };
    EXPECT_EQ(ByteRange::of({}).start_text(), "0");
    for (const char* text : {"0", "17", "17/40", "0/0"}) EXPECT_EQ(of(text).start_text(), text);
    EXPECT_EQ(of("17/40").file_size, 40);
    for (const char* text : {"", "x", "-1", "1/", "/1", "1/x", "1/-2", "1/2/3"})
        EXPECT_THAT(message_of(ErrorKind::invalid, [&] { (void)of(text); }),
                    HasSubstr("\"" + std::string(text) + "\" is neither a byte offset nor OFFSET/SIZE"));
}

TEST_F(InputFileTest, RefusesOtherBytesBeforeThePositionWithBothHashes) {
    const Checkpoint checkpoint = after_bytes("one\ntwo\n", 4);
    EXPECT_THAT(refusal("oNe\ntwo\n", checkpoint),
                AllOf(HasSubstr("input changed: the 4 bytes of "), HasSubstr("before line 2 had hash ")));
    // As large on the disk, but with less in it.
    const std::string full = gzipped("abcdefghijklmnop");
    std::string shorter = gzipped("abcdefghijklmno");
    shorter.resize(full.size(), '\0');
    EXPECT_THAT(refusal(shorter, after_bytes(full, 16)), HasSubstr("input changed"));
}

TEST_F(InputFileTest, RefusesWhatIsNoPosition) {
    const std::string position = after_bytes("one\ntwo\n", 4).bytes();
    for (const std::string& wrong :
         {std::string(), std::string("7"), position + " x", "x" + position, position.substr(0, position.size() - 1),
          position.substr(0, 40), "offset=-1" + position.substr(position.find(' '))})
        EXPECT_THAT(refusal("one\ntwo\n", Checkpoint(wrong)), HasSubstr("checkpoint unreadable"));
}

RC_GTEST_PROP(PrefixHash, IsTheSameHoweverTheBytesComeAndAnotherForOtherBytes, (const std::string& text)) {
    PrefixHash whole;
    whole.add(text);
    PrefixHash parts;
    for (std::string_view rest = text; !rest.empty();) {
        const auto size = *rc::gen::inRange<std::size_t>(1, rest.size() + 1);
        parts.add(rest.substr(0, size));
        rest.remove_prefix(size);
        parts = *PrefixHash::from_text(parts.to_text());
    }
    RC_ASSERT(parts == whole);
    RC_ASSERT(parts.digest() == whole.digest());
    RC_ASSERT(whole.digest().size() == 32U);
    RC_PRE(!text.empty());
    std::string other = text;
    const auto changed = *rc::gen::inRange<std::size_t>(0, text.size());
    other[changed] = static_cast<char>(other[changed] ^ (1 << *rc::gen::inRange(0, 8)));
    PrefixHash different;
    different.add(other);
    RC_ASSERT(!(different == whole));
    RC_ASSERT(different.digest() != whole.digest());
}

}  // namespace
