extern int fermata_placeholder_base;
int fermata_placeholder_base;
