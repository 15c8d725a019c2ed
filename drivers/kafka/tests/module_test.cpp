// The module as others meet it. Links libfermata.so only: what the test linked itself would not show.
#include <fermata/fermata.hpp>
#include <fermata/items/kafka.hpp>
#include <fermata/testing/module_path.hpp>
#include <fermata/testing/temp_folder.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fermata {
namespace {

using testing::has_loaded;
using ::testing::HasSubstr;
using testing::thrown_by;

TEST(KafkaModule, IsLoadedWhenADoorbellIsOpenedNotBefore) {
    Registry registry;
    register_stock_artifacts(registry);
    EXPECT_NE(registry.find(ArtifactKind::reader, "kafkaReader"), nullptr);
    EXPECT_FALSE(has_loaded("librdkafka"));
    const auto bell = open_doorbell("kafka://127.0.0.1:1");
    EXPECT_TRUE(has_loaded("librdkafka"));
    bell->ring(JobExecutionId(1), 1);
    EXPECT_EQ(bell->counts().rung, 1);
}

TEST(KafkaModule, ItsErrorsAreOurs) {
    const auto error = thrown_by<Error>([] { (void)open_doorbell("kafka://a?no.such.thing=1"); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
}

TEST(KafkaModule, AMissingModuleIsNamedWithTheRemedy) {
    const testing::TempFolder empty;
    const testing::ModulePath path(empty.path().string());
    const auto error = thrown_by<Error>([] { (void)open_doorbell("kafka://a"); });
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("the driver for kafka cannot be loaded: " + (empty / "libfermata_kafka.so")));
    EXPECT_THAT(error.remedy(), HasSubstr("FERMATA_MODULE_PATH"));
}

}  // namespace
}  // namespace fermata
