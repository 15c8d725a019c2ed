#pragma once
// Skipped records as a CSV file with the columns position, reason and raw. It is written exactly once, as the output of
// a file writer is; a file of that name from an earlier instance is replaced.
#include <fermata/batch/context.hpp>
#include <fermata/batch/listeners.hpp>
#include <fermata/items/file/output_file.hpp>

#include <string_view>

namespace fermata::record {

class RejectFile final : public SkipListener, public SideOutput {
public:
    explicit RejectFile(const ArtifactContext& context);

    void on_skip_read(const std::exception& error) override;
    void on_skip_process(const ItemRef& item, const std::exception& error) override;
    void on_skip_write(const ItemsRef& items, const std::exception& error) override;

    void open(const Checkpoint& from) override;
    Checkpoint checkpoint() override { return file_.checkpoint(); }
    void publish() override { file_.publish(); }
    void close() override { file_.close(); }

private:
    void reject_item(const ItemRef& item, const std::exception& error);
    void reject(std::string_view position, const std::exception& error, std::string_view raw);

    OutputFile file_;
};

}  // namespace fermata::record
