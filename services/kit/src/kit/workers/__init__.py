"""What a worker process runs: jobs, schedules, followers, rebuilds, and its answers about its health."""
