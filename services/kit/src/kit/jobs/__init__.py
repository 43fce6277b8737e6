"""Work that follows a request: the queue, its limits, the tasks, and schedules."""
