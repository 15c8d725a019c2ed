// A module that belongs to another Fermata.
extern "C" const char* fermata_module_version();
extern "C" const char* fermata_module_version() { return "0.0.0-other"; }
