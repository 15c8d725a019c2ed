#include <fermata/items/file/output_file.hpp>
#include <fermata/items/testing/rig.hpp>

#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <map>
#include <sstream>

using namespace fermata;
using items::message_of;
using items::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

class OutputFileTest : public ::testing::Test {
protected:
    OutputFile out(Exists exists = Exists::fail, const std::string& name = "out", const std::string& step = "load") {
        return {folder_.path() / name, exists, "uuid", step};
    }
    TemporaryFolder folder_;
};

TEST_F(OutputFileTest, StandsBesideItsPlaceUntilItIsPublished) {
    OutputFile file = out();
    file.open({});
    file.write("a\n");
    (void)file.checkpoint();
    EXPECT_THAT(folder_.names(), ElementsAre(::testing::MatchesRegex("out\\.fermata-uuid-[0-9a-f]{8}\\.part")));
    file.publish();
    EXPECT_THAT(folder_.names(), ElementsAre("out"));
    EXPECT_EQ(folder_.read("out"), "a\n");
    file.publish();
    EXPECT_EQ(folder_.read("out"), "a\n");
}

TEST_F(OutputFileTest, StepsOfOneInstanceDoNotShareAPart) {
    OutputFile one = out(Exists::fail, "out", "a");
    OutputFile two = out(Exists::fail, "out", "b");
    one.open({});
    two.open({});
    EXPECT_EQ(folder_.names().size(), 2U);
}

TEST_F(OutputFileTest, OpeningGoesBackToTheCheckpoint) {
    OutputFile file = out();
    file.open({});
    file.write("a\n");
    const Checkpoint checkpoint = file.checkpoint();
    file.write("lost\n");
    (void)file.checkpoint();
    file.write("not even flushed\n");
    file.close();
    file.open(checkpoint);
    EXPECT_EQ(file.length(), 2);
    file.write("b\n");
    file.publish();
    EXPECT_EQ(folder_.read("out"), "a\nb\n");
}

TEST_F(OutputFileTest, WithoutACheckpointItBeginsAnew) {
    OutputFile file = out();
    file.open({});
    file.write("lost\n");
    (void)file.checkpoint();
    file.open({});
    file.write("a\n");
    file.publish();
    EXPECT_EQ(folder_.read("out"), "a\n");
}

TEST_F(OutputFileTest, WritesMoreThanItsBufferHolds) {
    OutputFile file = out();
    file.open({});
    const std::string line(1000, 'x');
    for (int i = 0; i < 1000; ++i) file.write(line);
    file.publish();
    EXPECT_EQ(folder_.read("out").size(), 1'000'000U);
}

TEST_F(OutputFileTest, RefusesATargetThatExists) {
    folder_.write("out", "old\n");
    EXPECT_THAT(message_of(ErrorKind::conflict, [&] { out().open({}); }), HasSubstr("out\" exists already"));
    EXPECT_THAT(folder_.names(), ElementsAre("out"));
}

TEST_F(OutputFileTest, RefusesATargetThatCameUpMeanwhile) {
    OutputFile file = out();
    file.open({});
    file.write("new\n");
    folder_.write("out", "old\n");
    EXPECT_THAT(message_of(ErrorKind::conflict, [&] { file.publish(); }), HasSubstr("exists already"));
    EXPECT_EQ(folder_.read("out"), "old\n");
}

TEST_F(OutputFileTest, OverwritesOnlyWhenPublishedAndKeepsTheRights) {
    const auto target = folder_.write("out", "old\n");
    ::chmod(target.c_str(), 0640);
    OutputFile file = out(Exists::overwrite);
    file.open({});
    file.write("new\n");
    (void)file.checkpoint();
    EXPECT_EQ(folder_.read("out"), "old\n");
    file.publish();
    EXPECT_EQ(folder_.read("out"), "new\n");
    struct stat facts{};
    ::stat(target.c_str(), &facts);
    EXPECT_EQ(facts.st_mode & 07777, 0640U);
}

TEST_F(OutputFileTest, AppendsBehindWhatIsThere) {
    folder_.write("out", "old\nlast without end");
    OutputFile file = out(Exists::append);
    file.open({});
    EXPECT_EQ(file.first_line(), "old");
    file.write("new\n");
    file.publish();
    EXPECT_EQ(folder_.read("out"), "old\nlast without end\nnew\n");
    OutputFile fresh = out(Exists::append, "fresh");
    fresh.open({});
    fresh.write("a\n");
    fresh.publish();
    EXPECT_EQ(folder_.read("fresh"), "a\n");
}

TEST_F(OutputFileTest, AppendRefusesATargetThatChangedSinceItWasCopied) {
    folder_.write("out", "old\n");
    OutputFile file = out(Exists::append);
    file.open({});
    file.write("new\n");
    folder_.write("out", "old\nsomebody else\n");
    EXPECT_THAT(message_of(ErrorKind::conflict, [&] { file.publish(); }),
                HasSubstr("was changed by somebody else since this step copied it (4 bytes then, 18 now)"));
    OutputFile fresh = out(Exists::append, "fresh");
    fresh.open({});
    folder_.write("fresh", "somebody else\n");
    EXPECT_THAT(message_of(ErrorKind::conflict, [&] { fresh.publish(); }), HasSubstr("(0 bytes then, 14 now)"));
}

TEST_F(OutputFileTest, FollowsALinkToTheFileItLeadsTo) {
    folder_.write("real", "old\n");
    std::filesystem::create_symlink("real", folder_.path() / "out");
    OutputFile file = out(Exists::overwrite);
    file.open({});
    file.write("new\n");
    file.publish();
    EXPECT_EQ(folder_.read("real"), "new\n");
    EXPECT_TRUE(std::filesystem::is_symlink(folder_.path() / "out"));
}

TEST_F(OutputFileTest, RefusesAnOutputThatChanged) {
    OutputFile file = out();
    file.open({});
    file.write("0123456789");
    const Checkpoint checkpoint = file.checkpoint();
    const std::string part = folder_.names().front();
    file.close();
    std::filesystem::resize_file(folder_.path() / part, 4);
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { out().open(checkpoint); }),
                HasSubstr("has 4 bytes, the checkpoint needs 10"));
    folder_.write("out", "0123456789");  // somebody else's
    std::filesystem::remove(folder_.path() / part);
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { out().open(checkpoint); }),
                HasSubstr("is gone, the checkpoint needs its 10 bytes"));
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { out(Exists::fail, "other").open(checkpoint); }),
                HasSubstr("the checkpoint is about \"out.fermata-uuid-"));
    for (const std::string& wrong : {std::string("7"), "x" + checkpoint.bytes(), checkpoint.bytes().substr(0, 30)})
        EXPECT_THAT(message_of(ErrorKind::refused, [&] { out().open(Checkpoint(wrong)); }),
                    HasSubstr("checkpoint unreadable"));
}

TEST_F(OutputFileTest, APublishedFileTakesNoMore) {
    OutputFile file = out();
    file.open({});
    file.write("a\n");
    const Checkpoint checkpoint = file.checkpoint();
    file.publish();
    OutputFile again = out();
    again.open(checkpoint);
    EXPECT_EQ(again.checkpoint().bytes(), checkpoint.bytes());
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { again.write("b\n"); }), HasSubstr("is published already"));
    again.publish();
    EXPECT_EQ(folder_.read("out"), "a\n");
}

TEST_F(OutputFileTest, TellsWhereItCannotWrite) {
    EXPECT_THAT(message_of(ErrorKind::not_found, [&] { out(Exists::fail, "none/out").open({}); }),
                AllOf(HasSubstr("there is no folder"), HasSubstr("none\"")));
    std::filesystem::create_directory(folder_.path() / "folder");
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { out(Exists::overwrite, "folder").open({}); }),
                HasSubstr("it is a folder"));
    EXPECT_THAT(message_of(ErrorKind::refused, [] { OutputFile("/dev/null", Exists::append, "u", "s").open({}); }),
                HasSubstr("it is not a regular file"));
    EXPECT_THAT(message_of<IoError>([&] { out(Exists::fail, std::string(250, 'x')).open({}); }),
                HasSubstr("File name too long"));
}

TEST_F(OutputFileTest, TellsWhereItMayNotWrite) {
    ::chmod(folder_.path().c_str(), 0555);
    EXPECT_EQ(items::unprivileged([&] { out().open({}); }), ErrorKind::forbidden);
    ::chmod(folder_.path().c_str(), 0755);
}

TEST_F(OutputFileTest, AFileThatCannotGrowIsAnIoError) {
    ::chmod(folder_.path().c_str(), 0777);
    const auto answer = items::unprivileged([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit small{.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &small);
        OutputFile file = out();
        file.open({});
        file.write(std::string(2000, 'x'));
        (void)file.checkpoint();
    });
    EXPECT_EQ(answer, ErrorKind::failed);
}

TEST(ExistsProperty, KnowsThreeWords) {
    const auto of = [](const std::string& text) {
        return exists_of(items::properties({{"exists", text}}), Exists::fail);
    };
    EXPECT_EQ(of("fail"), Exists::fail);
    EXPECT_EQ(of("overwrite"), Exists::overwrite);
    EXPECT_EQ(of("append"), Exists::append);
    EXPECT_EQ(exists_of(items::properties({}), Exists::append), Exists::append);
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { (void)of("replace"); }),
                HasSubstr("\"replace\" is not fail, overwrite or append"));
}

// --- killed at every named point -----------------------------------------------------------------------------------

class OutputFileKill : public ::testing::TestWithParam<std::string> {
protected:
    /// Runs write_lines; "killed", or its exit code.
    static std::string run(const TemporaryFolder& folder, const char* variable, const std::string& value) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv(variable, value.c_str(), 1);
            ::execl(WRITE_LINES, WRITE_LINES, folder.path().c_str(), GetParam().c_str(), nullptr);
            ::_exit(127);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGKILL ? "killed" : "crashed";
        return std::to_string(WEXITSTATUS(status));
    }
    static void prepare(const TemporaryFolder& folder) {
        if (GetParam() != "fail") folder.write("out", "old\n");
    }
    static std::string expected() {
        std::string text = GetParam() == "append" ? "old\n" : "";
        for (int i = 0; i < 25; ++i) text += fmt::format("line {}\n", i);
        return text;
    }
    /// Every point a whole run passes, with how often.
    static std::map<std::string, int> points() {
        const TemporaryFolder folder;
        prepare(folder);
        EXPECT_EQ(run(folder, "FERMATA_POINT_LOG", folder / "points"), "0");
        std::map<std::string, int> passed;
        std::istringstream log(folder.read("points"));
        for (std::string name; std::getline(log, name);) ++passed[name];
        return passed;
    }
};

TEST_P(OutputFileKill, LeavesAFileThatEndsExact) {
    const auto passed = points();
    EXPECT_GE(passed.size(), 7U);
    for (const auto& [name, times] : passed)
        for (int n = 1; n <= times; ++n) {
            SCOPED_TRACE(fmt::format("{}:{}", name, n));
            const TemporaryFolder folder;
            prepare(folder);
            ASSERT_EQ(run(folder, "FERMATA_POINT", fmt::format("{}:{}", name, n)), "killed");
            run(folder, "FERMATA_POINT", name);  // killed again where it passes the point again
            ASSERT_EQ(run(folder, "FERMATA_POINT", ""), "0");
            ASSERT_EQ(folder.read("out"), expected());
            ASSERT_THAT(folder.names(), ElementsAre("out", "state"));
        }
}

INSTANTIATE_TEST_SUITE_P(Exists, OutputFileKill, ::testing::Values("fail", "overwrite", "append"),
                         [](const auto& mode) { return mode.param; });

}  // namespace
