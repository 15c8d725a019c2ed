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
using fermata::testing::Weather;

constexpr const char* usage =
    "usage: postgres_proxy SERVER-SOCKET\n"
    "prints its port; then answers each line of stdin with one line:\n"
    "  arm cut|late|delay|black_hole to_server|to_client BYTES MILLISECONDS [MARKER]   ok\n"
    "  fired   yes|no\n"
    "  disarm  ok\n"
    "  release ok, what is late or delayed passes now\n"
    "  clog to_server|to_client|both   ok, nothing passes there any more\n"
    "  lag MILLISECONDS                ok, what passes takes so long\n"
    "  clear   ok, all passes again, at once\n"
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

Weather read_weather(const std::string& verb, std::istream& words) {
    if (verb == "clear") return {};
    if (verb == "lag") {
        std::int64_t milliseconds = 0;
        if (!(words >> milliseconds)) throw std::invalid_argument("lag: how long?");
        return {.lag = std::chrono::milliseconds(milliseconds)};
    }
    std::string where;
    words >> where;
    if (where != "to_server" && where != "to_client" && where != "both") throw std::invalid_argument("clog: where?");
    return {.to_server = where == "to_client", .to_client = where == "to_server"};
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
    else if (verb == "clog" || verb == "lag" || verb == "clear")
        proxy.set(read_weather(verb, words));
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
