"""What the banks know: who they are, the accounts they keep and the rows on them."""
