// Preloaded: as long as there is the file that FERMATA_NO_THREADS names, no thread can be made.
#include <cerrno>
#include <cstdlib>

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) {
    using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
    static const auto real = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
    const char* file = std::getenv("FERMATA_NO_THREADS");
    if (file != nullptr && ::access(file, F_OK) == 0) return EAGAIN;
    return real(thread, attributes, run, argument);
}
