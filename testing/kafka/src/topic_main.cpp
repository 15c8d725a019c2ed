// kafka_topic BOOTSTRAP NAME create PARTITIONS
// kafka_topic BOOTSTRAP NAME send              each line of stdin is a message: PARTITION, tab, VALUE
// kafka_topic BOOTSTRAP NAME read              one line a message: PARTITION, OFFSET, KEY, VALUE, NAME=VALUE… of
// headers
// kafka_topic BOOTSTRAP NAME committed GROUP   how many messages the group has committed
#include <fermata/testing/kafka_topic.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace {

using fermata::testing::KafkaMessage;
using fermata::testing::KafkaTopic;

void send(KafkaTopic& topic) {
    std::vector<KafkaMessage> messages;
    for (std::string line; std::getline(std::cin, line);) {
        const std::size_t tab = line.find('\t');
        messages.push_back({.partition = std::stoi(line.substr(0, tab)), .value = line.substr(tab + 1)});
    }
    topic.send(messages);
}

void read(KafkaTopic& topic) {
    for (const KafkaMessage& message : topic.read()) {
        std::cout << message.partition << '\t' << message.offset << '\t' << message.key.value_or("") << '\t'
                  << message.value.value_or("");
        for (const auto& [name, value] : message.headers) std::cout << '\t' << name << '=' << value;
        std::cout << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 4) return 2;
    KafkaTopic topic(argv[1], argv[2]);
    const std::string_view verb = argv[3];
    if (verb == "create" && argc == 5)
        topic.create(std::stoi(argv[4]));
    else if (verb == "send")
        send(topic);
    else if (verb == "read")
        read(topic);
    else if (verb == "committed" && argc == 5)
        std::cout << topic.committed(argv[4]) << '\n';
    else
        return 2;
    return 0;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
