#pragma once
// What librdkafka gives, owned.
#include <librdkafka/rdkafka.h>

#include <memory>

namespace fermata::kafka {

template <auto destroy>
struct Destroyer {
    template <class T>
    void operator()(T* what) const noexcept {
        destroy(what);
    }
};
template <class T, auto destroy>
using Handle = std::unique_ptr<T, Destroyer<destroy>>;

using Configuration = Handle<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using Queue = Handle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Topic = Handle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using MessageHandle = Handle<rd_kafka_message_t, rd_kafka_message_destroy>;
using Metadata = Handle<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;
using Partitions = Handle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Event = Handle<rd_kafka_event_t, rd_kafka_event_destroy>;

}  // namespace fermata::kafka
