#include <fermata/base/file.hpp>
#include <fermata/base/id.hpp>
#include <fermata/batch/properties.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>

namespace fermata {
namespace {

using testing::HasSubstr;
using testing::Not;

class Secret : public testing::Test {
protected:
    void SetUp() override { ::setenv("SECRET_TEST", "p@ss:w/rd?&", 1); }
    void TearDown() override {
        ::unsetenv("SECRET_TEST");
        std::filesystem::remove(file_);
    }
    std::string file_with(std::string_view content, unsigned mode = 0600) const {
        write_file_durably(file_, content);
        EXPECT_EQ(::chmod(file_.c_str(), mode), 0);
        return "@file:" + file_.string();
    }
    static Error refusal_of(const std::string& reference) {
        try {
            (void)reveal_secret(reference);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::refused);
            EXPECT_THAT(error.what(), HasSubstr("\"" + reference + "\""));
            return error;
        }
        ADD_FAILURE() << reference << " was revealed";
        return Error(ErrorKind::failed, "");
    }
    std::filesystem::path file_ = std::filesystem::temp_directory_path() / ("secret-" + new_uuid());
};

TEST_F(Secret, WhatIsNoReferenceIsItself) {
    for (const char* plain : {"", "hello", "@", "@env", "@vault:x", "x@env:SECRET_TEST"})
        EXPECT_EQ(reveal_secret(plain), plain);
}

TEST_F(Secret, ComesFromTheEnvironment) {
    EXPECT_EQ(reveal_secret("@env:SECRET_TEST"), "p@ss:w/rd?&");
    ::setenv("SECRET_TEST", "", 1);
    EXPECT_EQ(reveal_secret("@env:SECRET_TEST"), "");
}

TEST_F(Secret, IsRefusedIfTheVariableIsMissing) {
    const Error error = refusal_of("@env:SECRET_TEST_MISSING");
    EXPECT_STREQ(error.what(), "\"@env:SECRET_TEST_MISSING\": there is no such environment variable");
    EXPECT_EQ(error.remedy(), "set SECRET_TEST_MISSING where the job runs");
    refusal_of("@env:");
}

TEST_F(Secret, IsTheFirstLineOfAFile) {
    EXPECT_EQ(reveal_secret(file_with("hunter2\nsecond line\n")), "hunter2");
    EXPECT_EQ(reveal_secret(file_with("hunter2\r\n")), "hunter2");
    EXPECT_EQ(reveal_secret(file_with("hunter2")), "hunter2");
    EXPECT_EQ(reveal_secret(file_with("")), "");
}

TEST_F(Secret, IsNotWaitedForAtAPipe) {
    ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
    EXPECT_THAT(refusal_of("@file:" + file_.string()).what(), HasSubstr("is no regular file"));
}

TEST_F(Secret, MayBeReadByNobodyElse) {
    for (const unsigned mode : {0640U, 0620U, 0644U, 0602U}) {
        const Error error = refusal_of(file_with("hunter2", mode));
        EXPECT_THAT(error.what(), HasSubstr(fmt::format("others may read or write the file (mode {:04o})", mode)));
        EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
        EXPECT_EQ(error.remedy(), "chmod 600 \"" + file_.string() + "\"");
    }
}

TEST_F(Secret, IsRefusedIfTheFileIsSomebodyElses) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    const std::string reference = file_with("hunter2");
    ASSERT_EQ(::chown(file_.c_str(), 65'534, 65'534), 0);
    const Error error = refusal_of(reference);
    EXPECT_THAT(error.what(), HasSubstr("the file belongs to another user (uid 65534)"));
    EXPECT_EQ(error.remedy(), "chown 0 \"" + file_.string() + "\"");
}

TEST_F(Secret, OfRootsTheGroupMayReadIt) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make such a file";
    const std::string reference = file_with("hunter2", 0440);
    ASSERT_EQ(::chown(file_.c_str(), 0, 65'534), 0);
    const auto as_another = [&](auto&& action) {
        ASSERT_EQ(::setegid(65'534), 0);
        ASSERT_EQ(::seteuid(65'534), 0);
        action();
        ASSERT_EQ(::seteuid(0), 0);
        ASSERT_EQ(::setegid(0), 0);
    };
    as_another([&] { EXPECT_EQ(reveal_secret(reference), "hunter2"); });
    ASSERT_EQ(::chmod(file_.c_str(), 0460), 0);
    as_another([&] { EXPECT_EQ(refusal_of(reference).remedy(), "chmod 640 \"" + file_.string() + "\""); });
}

TEST_F(Secret, IsRefusedIfTheFileCannotBeRead) {
    EXPECT_THAT(refusal_of("@file:/nowhere/at/all").what(), HasSubstr("No such file or directory"));
    EXPECT_THAT(refusal_of("@file:/tmp").what(), HasSubstr("is no regular file"));
    EXPECT_THAT(refusal_of(file_with(std::string(100'000, 'x'))).what(), HasSubstr("longer than 65536 bytes"));
}

TEST_F(Secret, InAUrlIsTheUserThePasswordOrAQueryValue) {
    constexpr const char* encoded = "p%40ss%3Aw%2Frd%3F%26";
    const std::string value = encoded;
    EXPECT_EQ(reveal_url("postgres://app:@env:SECRET_TEST@db:5432/x"), "postgres://app:" + value + "@db:5432/x");
    EXPECT_EQ(reveal_url("postgres://@env:SECRET_TEST@db/x"), "postgres://" + value + "@db/x");
    EXPECT_EQ(reveal_url("postgres://@env:SECRET_TEST:@env:SECRET_TEST@db/x"),
              "postgres://" + value + ":" + value + "@db/x");
    EXPECT_EQ(reveal_url("postgres://@env:SECRET_TEST:plain@db/x"), "postgres://" + value + ":plain@db/x");
    EXPECT_EQ(reveal_url("postgres://db/x?password=@env:SECRET_TEST&user=a"),
              "postgres://db/x?password=" + value + "&user=a");
    EXPECT_EQ(reveal_url("postgres://app:pw@db/x?key=@env:SECRET_TEST"), "postgres://app:pw@db/x?key=" + value);
    EXPECT_EQ(reveal_url("sqlite:x.db?key=@env:SECRET_TEST"), "sqlite:x.db?key=" + value);
}

TEST_F(Secret, InAUrlMayBeAFileWithSlashes) {
    const std::string reference = file_with("hunter 2\n");
    EXPECT_EQ(reveal_url("postgres://app:" + reference + "@db/x"), "postgres://app:hunter%202@db/x");
    EXPECT_EQ(reveal_url("postgres://" + reference + ":pw@db/x"), "postgres://hunter%202:pw@db/x");
    EXPECT_EQ(reveal_url("postgres://db/x?password=" + reference), "postgres://db/x?password=hunter%202");
}

TEST_F(Secret, AUrlWithoutReferencesIsItself) {
    for (const char* plain :
         {"", "vendors.db", "sqlite:/data/vendors.db", "postgres://db/x", "postgres://db:5432/x?a=b&c&d=", "x://",
          "postgres://a:b@c/d?e=f", "postgres://db:5432", "postgres://db/a@b:c?mail=x@env:SECRET_TEST",
          "postgres://a@db/x?", "postgres://db/x?@env:SECRET_TEST"})
        EXPECT_EQ(reveal_url(plain), plain);
}

TEST_F(Secret, AUrlIsStoredWithItsReferencesAndWithoutPasswords) {
    const std::pair<const char*, const char*> urls[] = {
        {"", ""},
        {"sqlite:/data/vendors.db", "sqlite:/data/vendors.db"},
        {"postgresql://app:hunter2@db:5432/x", "postgresql://app@db:5432/x"},
        {"postgresql://app:@env:SECRET_TEST@db/x", "postgresql://app:@env:SECRET_TEST@db/x"},
        {"postgresql://@file:/run/user:@file:/run/secret@db/x", "postgresql://@file:/run/user:@file:/run/secret@db/x"},
        {"postgresql://db/x?password=hunter2&user=a", "postgresql://db/x?user=a"},
        {"postgresql://db/x?user=a&sslpassword=b&password=@env:P&c", "postgresql://db/x?user=a&password=@env:P&c"},
        {"postgresql://db/x?password=hunter2", "postgresql://db/x"},
        {"sqlite:x.db?key=hunter2", "sqlite:x.db"},
        {"postgresql://db/x?passwor%64=hunter2&user=a", "postgresql://db/x?user=a"},
        {"postgresql://db/x?%70assword=hunter2&%zz=%6", "postgresql://db/x?%zz=%6"},
        {"postgresql://app:hun?ter#2@db/x", "postgresql://app@db/x"},
        {"postgresql://app:hun/ter2@db/x", "postgresql://app@db/x"},
        {"postgresql://app:hun/t@r2@db/x?user=b", "postgresql://app@db/x?user=b"},
        {"kafka://app:hun/ter2@broker:9092/topic", "kafka://app@broker:9092/topic"},
        {"postgresql://db:5432?password=@env:P", "postgresql://db:5432?password=@env:P"},
        {"http://db:80/users/@me", "http://db:80/users/@me"},
        {"sqlite:x.db?token=a&client_secret=b&mode=ro", "sqlite:x.db?mode=ro"}};
    for (const auto& [given, stored] : urls) EXPECT_EQ(without_passwords(given), stored);
}

TEST_F(Secret, AnyTextIsShownWithoutThePasswordsOfUrlsInIt) {
    const std::pair<const char*, const char*> texts[] = {
        {"", ""},
        {"nightly", "nightly"},
        {"a://", "a://"},
        {"postgresql://app:hunter2@db/x", "postgresql://app:***@db/x"},
        {"postgresql://app:hun \"ter2@db/x", "postgresql://app:***@db/x"},
        {"postgresql://app:@env:P@db/x?sslpassword=hunter2", "postgresql://app:@env:P@db/x?sslpassword=***"},
        {"postgresql://app@db/x?passwor%64=hunter2&a=b", "postgresql://app@db/x?passwor%64=***&a=b"},
        {"psql 'postgresql://app:hunter2@db/x' -c 'SELECT 1'", "psql 'postgresql://app:***@db/x' -c 'SELECT 1'"},
        {"curl http://a:b@c https://d?token=e f@g", "curl http://a:***@c https://d?token=*** f@g"},
        {"postgresql://app:hun/ter2@db/x", "postgresql://app:***@db/x"}};
    for (const auto& [given, shown] : texts) EXPECT_EQ(with_hidden_passwords(given), shown);
}

TEST_F(Secret, AServerWithoutSlashesIsNoFile) {
    const std::pair<const char*, const char*> urls[] = {{"postgresql:jobs", "postgresql://jobs"},
                                                        {"postgres:/jobs", "postgres://jobs"},
                                                        {"postgresql:app:hunter2@db", "postgresql://app:***@db"}};
    for (const auto& [given, meant] : urls) {
        try {
            (void)reveal_url(given);
            ADD_FAILURE() << given;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::invalid);
            EXPECT_THAT(error.what(), HasSubstr(fmt::format("did you mean \"{}\"?", meant)));
            EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
        }
    }
    for (const char* file : {"postgresql", "sqlite:postgresql:jobs", "./postgresql:jobs", "a:b.db"})
        EXPECT_EQ(reveal_url(file), file);
}

TEST_F(Secret, MayBeTheWholeUrlOrThePathBehindSqlite) {
    constexpr const char* value = "p@ss:w/rd?&";
    EXPECT_EQ(reveal_url("@env:SECRET_TEST"), value);
    EXPECT_EQ(reveal_url(file_with("postgresql://app:hunter2@db/x\n")), "postgresql://app:hunter2@db/x");
    EXPECT_EQ(reveal_url("sqlite:@env:SECRET_TEST"), std::string("sqlite:") + value);
    for (const char* reference : {"@env:SECRET_TEST", "sqlite:@env:SECRET_TEST"})
        EXPECT_EQ(without_passwords(reference), reference);
}

TEST_F(Secret, InAUrlIsRefusedWhereItIsNotReplaced) {
    for (const char* misplaced : {"postgres://app:@env:SECRET_TEST", "sqlite:/data/@env:SECRET_TEST", "data/@file:/x",
                                  "postgres://db/@env:SECRET_TEST"}) {
        const auto refused = [&] {
            try {
                (void)reveal_url(misplaced);
                return ErrorKind::failed;
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), HasSubstr("stands where it is not replaced"));
                return error.kind();
            }
        };
        EXPECT_EQ(refused(), ErrorKind::invalid) << misplaced;
    }
}

TEST_F(Secret, InAUrlIsRefusedAsEverywhere) {
    EXPECT_THROW((void)reveal_url("@env:SECRET_TEST_MISSING"), Error);
    EXPECT_THROW((void)reveal_url("postgres://app:@env:SECRET_TEST_MISSING@db/x"), Error);
    EXPECT_THROW((void)reveal_url("sqlite:x.db?key=@file:/nowhere/at/all"), Error);
}

}  // namespace
}  // namespace fermata
