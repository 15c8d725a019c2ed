#include "support.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <csignal>

namespace fermata {
namespace {

using std::filesystem::path;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int unused_fd = 987;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

unsigned mode_of(const path& file) {
    struct stat facts{};
    EXPECT_EQ(::stat(file.c_str(), &facts), 0);
    return facts.st_mode & 07777;
}

std::size_t entries_of(const path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(FileTest, OpensCloseOnExecAndClosesAtTheEnd) {
    const TemporaryFolder folder;
    int fd = -1;
    {
        const File file = File::open(folder / "a", O_WRONLY | O_CREAT, 0640);
        fd = file.fd();
        EXPECT_TRUE(file);
        EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(mode_of(folder / "a"), 0640U);
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(FileTest, MovesItsDescriptorAndClosesTheOneItHad) {
    File first = File::open("/dev/null", O_RDONLY);
    File second = File::open("/dev/null", O_RDONLY);
    const int moved = first.fd();
    const int replaced = second.fd();
    second = std::move(first);
    EXPECT_EQ(second.fd(), moved);
    EXPECT_FALSE(is_open(replaced));
    File third(std::move(second));
    EXPECT_EQ(third.fd(), moved);
    EXPECT_FALSE(File());
    EXPECT_EQ(third.release(), moved);
    EXPECT_FALSE(third);
    EXPECT_TRUE(is_open(moved));
    ::close(moved);
}

TEST(FileTest, OpenSaysPathAndReason) {
    const TemporaryFolder folder;
    const path missing = folder / "missing";
    EXPECT_EQ(message_of<IoError>([&] { (void)File::open(missing, O_RDONLY); }),
              "cannot open \"" + missing.string() + "\": No such file or directory");
}

TEST(IdentityOf, IsTheSameThroughLinksAndTheDescriptor) {
    const TemporaryFolder folder;
    write_file_durably(folder / "a", "x");
    write_file_durably(folder / "b", "x");
    std::filesystem::create_symlink("a", folder / "soft");
    std::filesystem::create_hard_link(folder / "a", folder / "hard");
    const auto identity = identity_of(folder / "a");
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity_of(folder / "soft"), identity);
    EXPECT_EQ(identity_of(folder / "hard"), identity);
    EXPECT_EQ(identity_of(File::open(folder / "a", O_RDONLY).fd()), *identity);
    EXPECT_NE(identity_of(folder / "b"), identity);
}

TEST(IdentityOf, IsNothingWhereNoFileIs) {
    const TemporaryFolder folder;
    write_file_durably(folder / "a", "x");
    EXPECT_EQ(identity_of(folder / "missing"), std::nullopt);
    EXPECT_EQ(identity_of(folder / "a" / "below-a-file"), std::nullopt);
}

TEST(IdentityOf, ThrowsWhereItCannotKnow) {
    EXPECT_THAT(message_of<IoError>([] { (void)identity_of(path(std::string(5000, 'x'))); }),
                AllOf(StartsWith("cannot examine \"xxx"), HasSubstr("File name too long")));
    EXPECT_EQ(message_of<IoError>([] { (void)identity_of(unused_fd); }),
              "cannot examine \"descriptor 987\": Bad file descriptor");
}

TEST(ReadFile, ReadsAllAndStopsAtTheLimit) {
    const TemporaryFolder folder;
    const std::string content(3'000'000, 'a');
    write_file_durably(folder / "a", content);
    EXPECT_EQ(read_file(folder / "a"), content);
    EXPECT_EQ(read_file(folder / "a", content.size()), content);
    EXPECT_EQ(message_of<IoError>([&] { (void)read_file(folder / "a", 10); }),
              "cannot read \"" + (folder / "a").string() + "\": it is longer than 10 bytes");
}

TEST(ReadFile, ReadsFilesThatSayTheyAreEmpty) {
    EXPECT_NE(read_file("/proc/self/status"), "");
    EXPECT_EQ(read_file("/dev/null"), "");
}

TEST(ReadFile, SaysPathAndReason) {
    const TemporaryFolder folder;
    EXPECT_EQ(message_of<IoError>([&] { (void)read_file(folder.path()); }),
              "cannot read \"" + folder.path().string() + "\": Is a directory");
}

TEST(ReadAll, GoesOnFromWhereTheDescriptorStands) {
    const TemporaryFolder folder;
    write_file_durably(folder / "a", "abcdef");
    const File file = File::open(folder / "a", O_RDONLY);
    ASSERT_EQ(::lseek(file.fd(), 2, SEEK_SET), 2);
    EXPECT_EQ(read_all(file.fd(), "a"), "cdef");
}

TEST(WriteFileDurably, MakesAndReplacesWithTheMode) {
    const TemporaryFolder folder;
    write_file_durably(folder / "a", "old and longer", 0600);
    EXPECT_EQ(mode_of(folder / "a"), 0600U);
    write_file_durably(folder / "a", "new", 0400);
    EXPECT_EQ(read_file(folder / "a"), "new");
    EXPECT_EQ(mode_of(folder / "a"), 0400U);
    EXPECT_EQ(entries_of(folder.path()), 1U);
}

TEST(WriteFileDurably, TakesARelativeNameWithoutAFolder) {
    const TemporaryFolder folder;
    EXPECT_EQ(exit_code(fork_child([&] {
                  std::filesystem::current_path(folder.path());
                  write_file_durably("plain", "x");
                  return 0;
              })),
              0);
    EXPECT_EQ(read_file(folder / "plain"), "x");
}

TEST(WriteFileDurably, LeavesNoTemporaryFileIfItCannotReplace) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "a");
    EXPECT_EQ(message_of<IoError>([&] { write_file_durably(folder / "a", "x"); }),
              "cannot replace \"" + (folder / "a").string() + "\": Is a directory");
    EXPECT_EQ(entries_of(folder.path()), 1U);
}

TEST(WriteFileDurably, KeepsTheOldContentWhenTheDiskRefusesTheNew) {
    const TemporaryFolder folder;
    write_file_durably(folder / "a", "old");
    EXPECT_EQ(exit_code(fork_child([&] {
                  ::signal(SIGXFSZ, SIG_IGN);
                  const rlimit limit{100, 100};
                  ::setrlimit(RLIMIT_FSIZE, &limit);
                  const auto message =
                      message_of<IoError>([&] { write_file_durably(folder / "a", std::string(200, 'x')); });
                  return message == "cannot write \"" + (folder / "a").string() + "\": File too large" ? 0 : 1;
              })),
              0);
    EXPECT_EQ(read_file(folder / "a"), "old");
    EXPECT_EQ(entries_of(folder.path()), 1U);
}

TEST(WriteFileDurably, SaysWhichFolderIsMissing) {
    EXPECT_THAT(message_of<IoError>([] { write_file_durably("/nowhere/at/all", "x"); }),
                AllOf(StartsWith("cannot open \"/nowhere/at/"), HasSubstr("No such file or directory")));
}

TEST(WriteAll, WritesMoreThanAPipeHolds) {
    Pipe pipe;
    const std::string content(1 << 20, 'y');
    const pid_t writer = fork_child([&] {
        pipe.close_reading();
        write_all(pipe.writing(), content, "pipe");
        return 0;
    });
    pipe.close_writing();
    EXPECT_EQ(read_all(pipe.reading(), "pipe"), content);
    EXPECT_EQ(exit_code(writer), 0);
}

TEST(WriteAll, SaysNameAndReason) {
    const File full = File::open("/dev/full", O_WRONLY);
    EXPECT_EQ(message_of<IoError>([&] { write_all(full.fd(), "x", "out.csv"); }),
              "cannot write \"out.csv\": No space left on device");
}

TEST(SyncFolder, TakesFoldersOnly) {
    const TemporaryFolder folder;
    sync_folder(folder.path());
    write_file_durably(folder / "a", "x");
    EXPECT_EQ(message_of<IoError>([&] { sync_folder(folder / "a"); }),
              "cannot open \"" + (folder / "a").string() + "\": Not a directory");
    EXPECT_EQ(message_of<IoError>([&] { sync_folder("/proc/self/fd"); }),
              "cannot flush \"/proc/self/fd\": Invalid argument");
}

}  // namespace
}  // namespace fermata
