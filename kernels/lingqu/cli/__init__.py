"""The commands: parse, validate, call one driver, print."""
