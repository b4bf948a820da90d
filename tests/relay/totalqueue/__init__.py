"""Whatever a relay confirmed comes out once and at the right device, however often it is killed."""
