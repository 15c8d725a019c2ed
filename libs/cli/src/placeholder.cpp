extern int fermata_placeholder_cli;
int fermata_placeholder_cli;
