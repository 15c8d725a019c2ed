#include <fermata/fermata.hpp>

int main(int argc, char** argv) {
    fermata::Registry registry;
    return fermata::main(argc, argv, registry);
}
