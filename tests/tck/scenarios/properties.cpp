// Substitution, and what of it reaches an artifact.
#include "suite.hpp"

namespace fermata::tck {
namespace {

class PropertySubstitutionTests : public Suite {
protected:
    /// What the batchlet finds under `property`.
    std::string found(const std::string& property, const Parameters& parameters = {}) {
        return found(load("job_properties2"), property, parameters);
    }
    std::string found(const JobDefinition& job, const std::string& property, const Parameters& parameters = {}) {
        stage().property_name = property;
        expect_status(run(job, parameters), BatchStatus::completed);
        return *stage().property_value.lock();
    }
};

TEST_F(PropertySubstitutionTests, testBatchArtifactPropertyInjection) { EXPECT_EQ(found("myProperty1"), "value1"); }
TEST_F(PropertySubstitutionTests, testInitializedPropertyIsOverwritten) {
    adapted("a field initializer is the fallback an artifact names when it reads the property");
    EXPECT_EQ(found("myProperty2"), "value2");
}
TEST_F(PropertySubstitutionTests, testPropertyWithJobParameter) {
    EXPECT_EQ(found("mySubmittedProp", {{"mySubmittedProp", "mySubmittedPropValue"}}), "mySubmittedPropValue");
}
TEST_F(PropertySubstitutionTests, testDefaultPropertyName) {
    adapted("fields have no names at run time: an artifact reads its properties by name");
    EXPECT_EQ(found("myProperty4"), "value4");
}
TEST_F(PropertySubstitutionTests, testGivenPropertyName) {
    adapted("fields have no names at run time: an artifact reads its properties by name");
    EXPECT_EQ(found("myProperty4"), "value4");
}
TEST_F(PropertySubstitutionTests, testPropertyInnerScopePrecedence) {
    EXPECT_EQ(found("batchletProp"), "batchletPropValue");
}
TEST_F(PropertySubstitutionTests, testPropertyQuestionMarkSimple) {
    EXPECT_EQ(found("defaultPropName1"), "myfile1.txt");
}
TEST_F(PropertySubstitutionTests, testPropertyQuestionMarkComplex) {
    EXPECT_EQ(found("defaultPropName2"), "/myfile2.txt");
}
TEST_F(PropertySubstitutionTests, testPropertyWithConcatenation) {
    EXPECT_EQ(found("myConcatProp", {{"myFilename", "testfile1"}}), "testfile1.txt");
}
TEST_F(PropertySubstitutionTests, testJavaSystemProperty) {
    EXPECT_EQ(found("myJavaSystemProp", {{"myFilename", "testfile2"}}), "/test/testfile2.txt");
}

TEST_F(PropertySubstitutionTests, testCDIBatchPropsNonString) {
    adapted(
        "a Boolean is true or false: \"Nope\" is an error that names the property; float and short are read as "
        "double and int");
    const JobDefinition job = load("batch_props_non_string");
    for (const char* name : {"dependentScopedBatchletPropsNonString", "DependentScopedBatchletPropsNonString",
                             "com.ibm.jbatch.tck.artifacts.cdi.DependentScopedBatchletPropsNonString"}) {
        SCOPED_TRACE(name);
        Parameters parameters = {{"refName", name},         {"stringProp", "text"},      {"booleanProp1", "true"},
                                 {"booleanProp2", "false"}, {"doubleProp1", "1.5"},      {"doubleProp2", "-2.25"},
                                 {"floatProp1", "0.5"},     {"floatProp2", "8"},         {"intProp1", "11"},
                                 {"intProp2", "-22"},       {"longProp1", "5000000000"}, {"longProp2", "-1"},
                                 {"shortProp1", "7"},       {"shortProp2", "-7"}};
        expect_end(run(job, parameters), BatchStatus::completed,
                   "text:true:false:1.5:-2.25:0.5:8:11:-22:5000000000:-1:7:-7");
        parameters["booleanProp2"] = "Nope";
        const JobExecution refused = run(job, parameters);
        expect_status(refused, BatchStatus::failed);
        EXPECT_NE(refused.failure->message.find("booleanProp2"), std::string::npos) << refused.failure->message;
    }
}

// Deleted upstream; the job XML no longer has the property, so this job is our own.
TEST_F(PropertySubstitutionTests, testParentPropertyOutOfScope) {
    note("job XML of our own");
    const auto parsed = parse_job(R"(<job id="out_of_scope" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <properties><property name="parentProp" value="of the job"/></properties>
  <step id="step1"><batchlet ref="myBatchletWithPropertiesImpl"/></step></job>)",
                                  "out_of_scope.xml");
    ASSERT_TRUE(parsed.job);
    EXPECT_EQ(found(*parsed.job, "parentProp"), "as initialised");
}

}  // namespace
}  // namespace fermata::tck
