extern int fermata_placeholder_sql;
int fermata_placeholder_sql;
