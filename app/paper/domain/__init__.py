"""What the paper venue keeps: accounts, orders, faults; pure values and sums."""
