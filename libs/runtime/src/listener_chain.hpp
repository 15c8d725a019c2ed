#pragma once
// The listeners of one scope by interface, in document order. An empty chain costs one comparison an item.
#include <fermata/batch/registry.hpp>

#include <vector>

namespace fermata {

class ListenerChain {
public:
    void add(ListenerInstance instance) {
        put(job, instance.job);
        put(step, instance.step);
        put(chunk, instance.chunk);
        put(read, instance.read);
        put(process, instance.process);
        put(write, instance.write);
        put(skip, instance.skip);
        put(retry, instance.retry);
        put(side_outputs, instance.side_output);
        owners_.push_back(std::move(instance.object));
    }

    std::vector<JobListener*> job;
    std::vector<StepListener*> step;
    std::vector<ChunkListener*> chunk;
    std::vector<ItemReadListener*> read;
    std::vector<ItemProcessListener*> process;
    std::vector<ItemWriteListener*> write;
    std::vector<SkipListener*> skip;
    std::vector<RetryListener*> retry;
    std::vector<SideOutput*> side_outputs;

private:
    template <class L>
    static void put(std::vector<L*>& chain, L* listener) {
        if (listener != nullptr) chain.push_back(listener);
    }
    std::vector<std::shared_ptr<void>> owners_;
};

}  // namespace fermata
