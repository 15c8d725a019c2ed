# One function a kind of target, so that every library has the same walls: its own include root, warnings as errors,
# and only the libraries it names in LINK on its include path. A forbidden include does not compile.
find_package(Threads REQUIRED)

find_program(FERMATA_CCACHE ccache)
if(FERMATA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FERMATA_CCACHE})
endif()

add_library(fermata_flags INTERFACE)
target_compile_features(fermata_flags INTERFACE cxx_std_20)
target_compile_options(fermata_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                               -Wimplicit-fallthrough -Wno-missing-field-initializers -Werror)
target_link_libraries(fermata_flags INTERFACE Threads::Threads)
# libfermata.so installs its public headers from these folders.
set_property(GLOBAL PROPERTY FERMATA_LAYERS "")

# fermata_library(name SOURCES file... LINK layer... LIBRARIES external...)
#   include/ is the public root; src/ is private. The target is fermata_<name>, alias fermata::<name>.
function(fermata_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LIBRARIES" ${ARGN})
  add_library(fermata_${name} STATIC ${ARG_SOURCES})
  add_library(fermata::${name} ALIAS fermata_${name})
  set_target_properties(fermata_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
  target_include_directories(fermata_${name} PUBLIC include PRIVATE src)
  target_link_libraries(fermata_${name} PRIVATE $<BUILD_INTERFACE:fermata_flags>)
  foreach(layer IN LISTS ARG_LINK)
    target_link_libraries(fermata_${name} PUBLIC fermata_${layer})
  endforeach()
  target_link_libraries(fermata_${name} PUBLIC ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY FERMATA_LAYERS fermata_${name})
endfunction()

# fermata_test(name [POSTGRES | KAFKA] SOURCES file... LINK target...): a GoogleTest program; every TEST becomes a ctest
# test. The suffix of the name says what it needs beside itself: nothing, or the built fermata binary (_cli_test).
# POSTGRES, KAFKA: it uses PostgresCluster::shared() or KafkaBroker::shared(), which ctest starts for all of them
# (testing/postgres, testing/kafka). These tests' names begin with "postgres." or "kafka.": ctest stops what a fixture
# started after the first test of each name, not after all, and the suites that both engines run have the same names.
set(FERMATA_POSTGRES_FIXTURE FIXTURES_REQUIRED postgres)
set(FERMATA_POSTGRES_ENVIRONMENT FERMATA_TEST_POSTGRES=${PROJECT_BINARY_DIR}/postgres)
set(FERMATA_KAFKA_FIXTURE FIXTURES_REQUIRED kafka)
set(FERMATA_KAFKA_ENVIRONMENT FERMATA_TEST_KAFKA=${PROJECT_BINARY_DIR}/kafka)
function(fermata_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(ARG "POSTGRES;KAFKA" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(ARG_POSTGRES)
    set(fixture ${FERMATA_POSTGRES_FIXTURE} ENVIRONMENT ${FERMATA_POSTGRES_ENVIRONMENT})
    set(prefix TEST_PREFIX postgres.)
  endif()
  if(ARG_KAFKA)
    set(fixture ${FERMATA_KAFKA_FIXTURE} ENVIRONMENT ${FERMATA_KAFKA_ENVIRONMENT})
    set(prefix TEST_PREFIX kafka.)
  endif()
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE fermata_flags ${ARG_LINK} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE -O0)  # what is tested is optimised; optimising the tests doubles the build
  gtest_discover_tests(${name} ${prefix} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${ARG_TIMEOUT} ${fixture})
endfunction()
