"""The pages a person meets when linking a bank, as the aggregator and the banks would show them."""
