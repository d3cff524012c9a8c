"""DataFrame -> DataFrame functions: no input or output, no session, no configuration files."""
