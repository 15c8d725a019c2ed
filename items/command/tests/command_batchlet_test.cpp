#include "fixture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <thread>

namespace fermata {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Command : public StepFixture {
protected:
    std::unique_ptr<AnyBatchlet> make(const Properties& given) {
        return registry.find(ArtifactKind::batchlet, "command")->make_batchlet({given, &step, job});
    }
    std::string run(const Pairs& pairs) { return make(properties(pairs))->process(); }
    std::string failure(const Pairs& pairs) {
        return refusal<ChildError>([&] { run(pairs); });
    }
    std::string invalid(const Pairs& pairs) {
        return refusal([&] { registry.find(ArtifactKind::batchlet, "command")->check(properties(pairs)); });
    }
    /// Runs `script` on a thread; returns once the script has opened the FIFO "ready".
    std::thread start(AnyBatchlet& batchlet, std::string& answer) {
        std::thread thread([&] {
            try {
                answer = batchlet.process();
            } catch (const ChildError& error) {
                answer = error.what();
            }
        });
        (void)read_file_fifo();
        return thread;
    }
    void make_fifo() { ASSERT_EQ(::mkfifo((folder / "ready").c_str(), 0600), 0); }

private:
    std::string read_file_fifo() const {
        const File fifo = File::open(folder / "ready", O_RDONLY);
        return read_all(fifo.fd(), "ready");
    }
};

TEST_F(Command, CompletesWithExitCodeZero) {
    EXPECT_EQ(run({{"command", "sh -c 'echo out; echo err >&2'"}}), "COMPLETED");
    EXPECT_THAT(log.text(), ::testing::AnyOf("out\nerr\n", "err\nout\n"));
}

TEST_F(Command, ExitCodesGiveTheExitStatus) {
    EXPECT_EQ(run({{"command", "sh -c 'exit 3'"}, {"exit-codes", " 0=DONE, 3 = RETRY"}}), "RETRY");
    EXPECT_EQ(run({{"command", "true"}, {"exit-codes", "0=DONE,3=RETRY"}}), "DONE");
    EXPECT_EQ(run({{"command", "true"}, {"exit-codes", "3=RETRY"}}), "COMPLETED");
}

TEST_F(Command, UnlistedExitCodeFailsWithTheLastLineOfStderr) {
    EXPECT_EQ(failure({{"command", "sh -c 'echo first >&2; echo disk full >&2; echo >&2; exit 4'"}}),
              "command \"sh\": exit code 4; last on stderr: disk full");
    EXPECT_EQ(failure({{"command", "false"}}), "command \"false\": exit code 1");
    EXPECT_EQ(failure({{"command", "sh -c 'printf unfinished >&2; exit 5'"}}),
              "command \"sh\": exit code 5; last on stderr: unfinished");
}

TEST_F(Command, LongStderrIsCopiedWholeAndQuotedShortly) {
    const std::string script = "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1";
    EXPECT_LT(failure({{"command", script}, {"shell", "true"}}).size(), 500U);
    EXPECT_EQ(log.text().size(), 3'000'000U);
}

TEST_F(Command, SignalIsNamed) {
    EXPECT_EQ(failure({{"command", "sh -c 'kill -KILL $$'"}}), "command \"sh\": killed by signal 9 (Killed)");
}

TEST_F(Command, MissingProgramIsNamed) {
    EXPECT_EQ(failure({{"command", "no-such-program --now"}}),
              "command \"no-such-program\": cannot run \"no-such-program\": No such file or directory");
    EXPECT_EQ(failure({{"command", "true"}, {"workdir", "missing"}}), "command \"true\": cannot enter its workdir \"" +
                                                                          (folder / "missing").string() +
                                                                          "\": No such file or directory");
}

TEST_F(Command, KnowsItsJobAndParameters) {
    job.parameters = {{"file", "a b"}, {"db.host-name", "h"}};
    run({{"command", "env"}, {"env.EXTRA", "more"}});
    for (const char* line :
         {"FERMATA_REPOSITORY=sqlite:/var/fermata.db\n", "FERMATA_JOB=imports\n", "FERMATA_INSTANCE_ID=7\n",
          "FERMATA_EXECUTION_ID=8\n", "FERMATA_STEP=load\n", "FERMATA_STEP_EXECUTION_ID=9\n",
          "FERMATA_PARAM_file=a b\n", "FERMATA_PARAM_db_host_name=h\n", "EXTRA=more\n"})
        EXPECT_THAT(log.text(), HasSubstr(line));
}

TEST_F(Command, SecretsReachTheEnvironmentOnly) {
    write_file_durably(folder / "password", "s3cret\n", 0600);
    const std::string reference = "@file:" + (folder / "password").string();
    EXPECT_EQ(failure({{"command", "sh -c 'test \"$PASSWORD\" = s3cret && exit 9'"}, {"env.PASSWORD", reference}}),
              "command \"sh\": exit code 9");
    EXPECT_THAT(refusal([&] { run({{"command", "true"}, {"env.PASSWORD", "@file:/no/such/file"}}); }),
                HasSubstr("/no/such/file"));
}

TEST_F(Command, RunsInTheWorkingDirectory) {
    std::filesystem::create_directory(folder / "sub");
    run({{"command", "pwd"}});
    run({{"command", "pwd"}, {"workdir", "sub"}});
    EXPECT_EQ(log.text(), folder.string() + "\n" + (folder / "sub").string() + "\n");
}

TEST_F(Command, ValueNeverMakesWords) {
    Text command;
    command.append_literal("printf '%s\\n' ");
    command.append_value("a b; echo 'c'");
    make({"artifact", "job.xml", {{"command", command, {}}}})->process();
    EXPECT_EQ(log.text(), "a b; echo 'c'\n");
}

TEST_F(Command, ShellTakesParametersFromTheEnvironment) {
    job.parameters = {{"who", "you & me"}};
    run({{"command", "echo \"$FERMATA_PARAM_who\" | tr a-z A-Z"}, {"shell", "true"}});
    EXPECT_EQ(log.text(), "YOU & ME\n");
}

TEST_F(Command, ShellWithExpressionsIsRefused) {
    Text command;
    command.append_literal("echo ");
    command.append_value("x");
    const Properties given("artifact", "job.xml", {{"command", command, {}}, {"shell", Text("true"), {}}});
    EXPECT_THAT(refusal([&] { make(given); }), HasSubstr("is run by a shell, so it must not contain expressions"));
}

TEST_F(Command, BadPropertiesAreToldByCheck) {
    EXPECT_THAT(invalid({{"command", "echo 'a"}}), HasSubstr("is not closed"));
    EXPECT_THAT(invalid({{"command", " "}}), HasSubstr("names no program"));
    EXPECT_THAT(invalid({{"command", "'' x"}}), HasSubstr("names no program"));
    EXPECT_THAT(invalid({}), HasSubstr("command"));
    EXPECT_THAT(invalid({{"command", "true"}, {"env.", "x"}}), HasSubstr("is no name of an environment variable"));
    EXPECT_THAT(invalid({{"command", "true"}, {"env.A=B", "x"}}), HasSubstr("is no name of an environment variable"));
    EXPECT_THAT(invalid({{"command", "true"}, {"exit-codes", "0"}}), HasSubstr("\"0\" is not CODE=EXIT STATUS"));
    EXPECT_THAT(invalid({{"command", "true"}, {"exit-codes", "256=X"}}), HasSubstr("\"256=X\" is not"));
    EXPECT_THAT(invalid({{"command", "true"}, {"exit-codes", "1="}}), HasSubstr("\"1=\" is not"));
    EXPECT_THAT(invalid({{"command", "true"}, {"exit-codes", "1=A,1=B"}}), HasSubstr("code 1 stands twice"));
    EXPECT_THAT(invalid({{"command", "true"}, {"timeout", "soon"}}), HasSubstr("soon"));
    EXPECT_THAT(invalid({{"command", "true"}, {"grace", "long"}}), HasSubstr("long"));
    EXPECT_EQ(invalid({{"command", "true"}, {"exit-codes", " "}}), "accepted");
}

TEST_F(Command, TimeoutEndsAndFailsIt) {
    EXPECT_EQ(failure({{"command", "sleep 1000"}, {"timeout", "20ms"}}),
              "command \"sleep\" did not end within its timeout of " + to_human(std::chrono::milliseconds{20}));
}

TEST_F(Command, TimeoutKillsWhatIgnoresTermAfterTheGrace) {
    EXPECT_THAT(failure({{"command", "trap '' TERM; while :; do sleep 1000; done"},
                         {"shell", "true"},
                         {"timeout", "20ms"},
                         {"grace", "20ms"}}),
                HasSubstr("did not end within its timeout"));
}

TEST_F(Command, StopEndsItWithoutFailure) {
    make_fifo();
    const auto batchlet = make(properties({{"command", "sh -c ': > ready; exec sleep 1000'"}}));
    std::string answer;
    std::thread thread = start(*batchlet, answer);
    batchlet->stop();
    thread.join();
    EXPECT_EQ(answer, "STOPPED");
}

TEST_F(Command, StopBeforeItBeganEndsItToo) {
    const auto batchlet = make(properties({{"command", "sleep 1000"}}));
    batchlet->stop();
    EXPECT_EQ(batchlet->process(), "STOPPED");
}

TEST_F(Command, StoppedCommandMayEndItsOwnWay) {
    make_fifo();
    const auto batchlet =
        make(properties({{"command", "trap 'exit 3' TERM; : > ready; while :; do sleep 1000 & wait; done"},
                         {"shell", "true"},
                         {"exit-codes", "3=CLEANED"}}));
    std::string answer;
    std::thread thread = start(*batchlet, answer);
    batchlet->stop();
    thread.join();
    EXPECT_EQ(answer, "CLEANED");
}

TEST_F(Command, FailureAfterStopIsAFailure) {
    make_fifo();
    const auto batchlet = make(properties(
        {{"command", "trap 'echo cannot clean >&2; exit 1' TERM; : > ready; while :; do sleep 1000 & wait; done"},
         {"shell", "true"}}));
    std::string answer;
    std::thread thread = start(*batchlet, answer);
    batchlet->stop();
    thread.join();
    EXPECT_THAT(answer, HasSubstr("exit code 1; last on stderr: cannot clean"));
}

TEST_F(Command, StopKillsWhatIgnoresTermAfterTheGrace) {
    make_fifo();
    const auto batchlet = make(properties(
        {{"command", "trap '' TERM; : > ready; while :; do sleep 1000; done"}, {"shell", "true"}, {"grace", "20ms"}}));
    std::string answer;
    std::thread thread = start(*batchlet, answer);
    batchlet->stop();
    thread.join();
    EXPECT_EQ(answer, "STOPPED");
}

TEST_F(Command, UrgentStopDoesNotWaitForTheGrace) {
    make_fifo();
    const auto batchlet = make(properties(
        {{"command", "trap '' TERM; : > ready; while :; do sleep 1000; done"}, {"shell", "true"}, {"grace", "24h"}}));
    std::string answer;
    std::thread thread = start(*batchlet, answer);
    batchlet->stop();
    stop.request_now(StopReason::operator_asked);
    thread.join();
    EXPECT_EQ(answer, "STOPPED");
}

TEST_F(Command, WithoutALogItSpeaksOnStderr) {
    step.log = nullptr;
    ::testing::internal::CaptureStderr();
    run({{"command", "echo hello"}});
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "hello\n");
}

TEST_F(Command, FullLogDoesNotFailIt) {
    FileLog full("/dev/full");
    step.log = &full;
    EXPECT_EQ(failure({{"command", "sh -c 'echo lost >&2; exit 3'"}}),
              "command \"sh\": exit code 3; last on stderr: lost");
}

TEST_F(Command, TellsItsPropertiesAndAnExample) {
    const ArtifactInfo& info = registry.find(ArtifactKind::batchlet, "command")->info;
    EXPECT_TRUE(info.closed);
    EXPECT_THAT(info.example, StartsWith("<batchlet ref=\"command\">"));
    for (const PropertyInfo& property : info.properties) EXPECT_FALSE(property.about.empty()) << property.name;
}

// --- the decider

class Decision : public Command {
protected:
    std::string decide(Pairs pairs, const std::vector<StepExecution>& steps) {
        const Properties given = properties(pairs);
        return registry.find(ArtifactKind::decider, "command")->make_decider({given, &step, job})->decide(steps);
    }
    std::vector<StepExecution> loaded() {
        return {{.name = "load",
                 .status = BatchStatus::completed,
                 .exit_status = "GOOD",
                 .metrics = {.read = 5, .written = 4, .read_skips = 1}}};
    }
};

TEST_F(Decision, TheExitCodeIsTheAnswer) {
    EXPECT_EQ(decide({{"command", "sh -c 'exit 1'"}, {"exit-codes", "0=YES,1=NO"}}, loaded()), "NO");
    EXPECT_THAT(refusal<ChildError>([&] { decide({{"command", "sh -c 'exit 9'"}}, loaded()); }),
                HasSubstr("exit code 9"));
}

TEST_F(Decision, TheCommandFindsTheStepInItsEnvironment) {
    EXPECT_EQ(decide({{"command", "sh -c 'env | grep ^FERMATA_DECIDED_ | sort'"}}, loaded()), "COMPLETED");
    EXPECT_THAT(log.text(), HasSubstr("FERMATA_DECIDED_EXIT_STATUS=GOOD\nFERMATA_DECIDED_READ=5\n"
                                      "FERMATA_DECIDED_SKIPS=1\nFERMATA_DECIDED_STATUS=COMPLETED\n"
                                      "FERMATA_DECIDED_STEP=load\nFERMATA_DECIDED_WRITTEN=4\n"));
    EXPECT_EQ(decide({{"command", "true"}}, {}), "COMPLETED");
}

TEST_F(Decision, AStopEndsItWithoutAnAnswer) {
    stop.request(StopReason::operator_asked);
    EXPECT_THAT(refusal<ChildError>([&] { decide({{"command", "sleep 60"}}, loaded()); }),
                HasSubstr("stopped before it had decided"));
}

TEST_F(Command, APartitionsNumberIsInItsEnvironment) {
    step.partition = 3;
    EXPECT_EQ(run({{"command", "sh -c 'test $FERMATA_PARTITION = 3'"}}), "COMPLETED");
}

TEST_F(Command, AnExitCodeAsksForAPause) {
    const Pairs waiting{{"command", "sh -c 'echo not yet >&2; exit 75'"}, {"pause-exit-codes", "75, 76 = approve"}};
    EXPECT_EQ(run(waiting), "");
    ASSERT_TRUE(step.pause_asked);
    EXPECT_EQ(step.pause_asked->what.point, "load");
    EXPECT_EQ(step.pause_asked->what.message, "not yet");
    EXPECT_FALSE(step.pause_asked->after);
    run({{"command", "sh -c 'exit 76'"}, {"pause-exit-codes", "75, 76 = approve"}});
    EXPECT_EQ(step.pause_asked->what.point, "approve");
}

TEST_F(Command, PauseExitCodesAreChecked) {
    for (const char* wrong : {"0", "256", "x=approve", "75,75", "75=", "75=approve,76= "})
        EXPECT_THAT(invalid({{"command", "true"}, {"pause-exit-codes", wrong}}), HasSubstr("pause-exit-codes"))
            << wrong;
    EXPECT_THAT(invalid({{"command", "true"}, {"exit-codes", "3=A"}, {"pause-exit-codes", "3"}}),
                HasSubstr("code 3 stands twice, here or in exit-codes"));
    EXPECT_EQ(invalid({{"command", "true"}, {"pause-exit-codes", ""}}), "accepted");
}

struct Sent : Waits {
    [[nodiscard]] bool pause_requested() const noexcept override { return false; }
    [[nodiscard]] std::vector<Signal> signals() const override {
        return {{.point = "p", .key = "k\"1\"", .payload = R"({"by":"ann"})", .sender = "ann"}, {.point = "p"}};
    }
    [[nodiscard]] std::int64_t signal_count() const override { return 2; }
};

TEST_F(Command, WhatWasSentIsInAFile) {
    const Sent sent;
    job.data_folder = folder;
    step.waits = &sent;
    EXPECT_EQ(run({{"command", "sh -c 'echo $FERMATA_SIGNAL_COUNT; cat $FERMATA_SIGNALS'"}}), "COMPLETED");
    EXPECT_THAT(log.text(), StartsWith("2\n{\"point\":\"p\",\"key\":\"k\\\"1\\\"\",\"sender\":\"ann\","));
    EXPECT_THAT(log.text(), HasSubstr("\"payload\":{\"by\":\"ann\"}}\n{"));
    EXPECT_THAT(log.text(), HasSubstr("\"payload\":null}"));
    step.waits = nullptr;
    EXPECT_EQ(run({{"command", "sh -c 'test $FERMATA_SIGNAL_COUNT = 0 && cat $FERMATA_SIGNALS'"}}), "COMPLETED");
}

}  // namespace
}  // namespace fermata
