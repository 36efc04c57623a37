"""The only SQL. `engine` opens a database, `writer` owns all writing, one module a table family reads and writes."""
