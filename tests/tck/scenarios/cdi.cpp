// What Java injects. The scenarios that are about the container itself are told in the report and run nowhere.
#include "suite.hpp"

#include <fmt/format.h>

namespace fermata::tck {
namespace {

class CDITests : public Suite {
protected:
    /// Three names of one artifact: a bean's, one of batch.xml, a class.
    void run_each(const std::string& job, const std::string& artifact, Parameters parameters, auto&& check) {
        adapted(
            "contexts and properties come with the constructor's ArtifactContext; the three names are three "
            "registrations");
        std::string bean = artifact;
        bean[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(bean[0])));
        for (const std::string& name : {bean, artifact, "com.ibm.jbatch.tck.artifacts.cdi." + artifact}) {
            SCOPED_TRACE(name);
            parameters["refName"] = name;
            check(run(job, parameters));
        }
    }
};

TEST_F(CDITests, testCDIInjectContexts) {
    run_each("cdi_inject_beans", "DependentScopedBatchletContexts", {}, [&](const JobExecution& execution) {
        expect_end(execution, BatchStatus::completed, fmt::format("{0}:{0}:{0}:", execution.id.value()));
        const StepExecution step = only_step_of(execution);
        EXPECT_EQ(step.exit_status, fmt::format("{0}:{0}:{0}:", step.id.value()));
    });
}

TEST_F(CDITests, testCDIBatchProps) {
    run_each(
        "cdi_batch_props", "DependentScopedBatchletProps",
        {{"c1", "CTOR1"}, {"c2", "CTOR2"}, {"f1", "FIELD1"}, {"f2", "FIELD2"}, {"m1", "METHOD1"}, {"m2", "METHOD2"}},
        [](const JobExecution& execution) {
            expect_end(execution, BatchStatus::completed, "CTOR1:CTOR2:FIELD1:FIELD2:METHOD1:METHOD2");
        });
}

TEST_F(CDITests, testCDIInjectRepeatProps) {
    run_each("cdi_inject_beans", "DependentScopedBatchletRepeatProps", {{"parm1", "p1"}, {"parm2", "p2"}},
             [](const JobExecution& execution) {
                 expect_end(execution, BatchStatus::completed, "p1:p2:p1:p1:p2:p1:p1:p2:p1:p1:p1:p1");
             });
}

TEST_F(CDITests, testCDIInject) {
    not_applicable("cdi_inject_beans", "beans injected into beans");
    GTEST_SKIP();
}
TEST_F(CDITests, testCDIInjectListenerIntoBatchlet) {
    not_applicable("cdi_inject_listener_into_batchlet", "a listener shared as an injected object");
    GTEST_SKIP();
}
TEST_F(CDITests, testCDILazyInject) {
    not_applicable("cdi_inject_beans_2step", "lazy injection into a singleton");
    GTEST_SKIP();
}
TEST_F(CDITests, testCDILookup) {
    not_applicable("cdi_inject_beans_2step", "look-up in the container; disabled upstream");
    GTEST_SKIP();
}

class InjectImplProvidedJobOperatorTests : public CDITests {};
class InjectAppProvidedJobOperatorTests : public CDITests {};

TEST_F(InjectImplProvidedJobOperatorTests, testCDIJobOperatorInject) {
    run_each("cdi_inject_beans", "JobOperatorInjectedBatchlet", {}, [](const JobExecution& execution) {
        expect_end(execution, BatchStatus::completed, std::to_string(execution.id.value()));
    });
}

TEST_F(InjectAppProvidedJobOperatorTests, testCDIJobOperatorInject) {
    not_applicable("cdi_inject_beans", "a JobOperator bean of the application before the runtime's");
    GTEST_SKIP();
}

}  // namespace
}  // namespace fermata::tck
