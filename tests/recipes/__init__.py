"""What the package's README tells users of servers, queues and pools: real ones, that recycle and are killed."""
