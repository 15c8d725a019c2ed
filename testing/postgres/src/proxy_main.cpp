// A Proxy as a program: prints its port, then obeys lines on stdin until they end.
#include <fermata/testing/proxy.hpp>

#include <exception>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

using fermata::testing::Fault;
using fermata::testing::Proxy;

constexpr const char* usage =
    "usage: postgres_proxy SERVER-SOCKET\n"
    "prints its port; then answers each line of stdin with one line:\n"
    "  arm cut|late|delay|black_hole to_server|to_client BYTES MILLISECONDS [MARKER]   ok\n"
    "  fired   yes|no\n"
    "  disarm  ok\n"
    "  release ok, what is late or delayed passes now\n"
    "  cut     ok, all connections are closed\n"
    "  refuse  ok, new connections are closed at once\n"
    "  accept  ok\n";

Fault read_fault(std::istream& words) {
    static const std::map<std::string, Fault::Act> acts{{"cut", Fault::Act::cut},
                                                        {"late", Fault::Act::late},
                                                        {"delay", Fault::Act::delay},
                                                        {"black_hole", Fault::Act::black_hole}};
    static const std::map<std::string, Fault::Direction> directions{{"to_server", Fault::Direction::to_server},
                                                                    {"to_client", Fault::Direction::to_client}};
    std::string act;
    std::string direction;
    std::int64_t milliseconds = 0;
    Fault fault;
    if (!(words >> act >> direction >> fault.after >> milliseconds)) throw std::invalid_argument("words are missing");
    words >> fault.marker;
    fault.act = acts.at(act);
    fault.direction = directions.at(direction);
    fault.delay = std::chrono::milliseconds(milliseconds);
    return fault;
}

std::string obey(Proxy& proxy, const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "fired") return proxy.fired() ? "yes" : "no";
    if (verb == "arm")
        proxy.arm(read_fault(words));
    else if (verb == "disarm")
        proxy.disarm();
    else if (verb == "release")
        proxy.release();
    else if (verb == "cut")
        proxy.cut_all();
    else if (verb == "refuse" || verb == "accept")
        proxy.refuse(verb == "refuse");
    else
        throw std::invalid_argument("unknown verb");
    return "ok";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << usage;
        return 2;
    }
    try {
        Proxy proxy(argv[1]);
        std::cout << proxy.port() << std::endl;
        for (std::string line; std::getline(std::cin, line);) std::cout << obey(proxy, line) << std::endl;
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "postgres_proxy: " << error.what() << '\n';
        return 1;
    }
}
