"""The fault table as tests: `make faults` counts what is shown."""
